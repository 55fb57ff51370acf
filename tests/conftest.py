"""What runs beside what: tests that share a running service stay in one process, in their order."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SHARE_A_SERVICE = ("chaos", "e2e", "test_commands.py", "ui")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` runs two tests at a time; each group of these is one of them."""
    for item in items:
        place = item.path.relative_to(TESTS).parts[0]
        if place in SHARE_A_SERVICE:
            item.add_marker(pytest.mark.xdist_group(place))
