"""One lab for all trials, and their table at the end."""

from collections.abc import Iterator

import pytest

from tests.cluster.audit import Audit, table
from tests.cluster.lab import Lab, lab
from tests.cluster.network import CannotSimulate, require_rights

rows: dict[str, Audit] = {}


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    try:
        require_rights()
    except CannotSimulate as reason:
        pytest.fail(str(reason), pytrace=False)
    with lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Iterator[dict[str, Audit]]:
    """Where a trial puts its audit, under any name, to be shown."""
    noted: dict[str, Audit] = {}
    yield noted
    for part, audit in noted.items():
        rows[f"{request.node.originalname.removeprefix('test_')}{part and f': {part}'}"] = audit


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if rows:
        terminalreporter.section("what the client saw")
        terminalreporter.write_line(table(rows))
