"""Where the trials cannot run, they fail with a sentence that says what to do: nobody takes that for a pass."""

from pathlib import Path

import pytest

from tests.cluster.network import CannotSimulate, require_rights


def test_missing_commands_are_named_by_their_packages(tmp_path: Path) -> None:
    """All of them at once."""
    with pytest.raises(CannotSimulate) as caught:
        require_rights(str(tmp_path))
    assert str(caught.value) == (
        "tests/cluster needs curl, iproute2, redis-server, util-linux: install that, or leave these tests out with "
        "`--ignore tests/cluster`"
    )
