"""What runs beside what: tests that share a running service stay in one process, in their order."""

from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]  # it tells no types
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TESTS = Path(__file__).parent
SHARE_A_SERVICE = ("ui", "chaos", "e2e", "test_commands.py")
"""The longest first, so that none of them is left to run alone at the end."""


class ByService(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out tests one by one, but all those at once that share a service.

    Not `--dist loadgroup`: with pytest 9.2, xdist 3.8 no longer sees the groups.
    """

    def _split_scope(self, nodeid: str) -> str:
        place = _place(nodeid)
        return place if place in SHARE_A_SERVICE else nodeid


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByService:
    config.option.loadscopereorder = False  # by size, which says nothing of how long they take
    return ByService(config, log)


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups come first."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _place(nodeid: str) -> str:
    return nodeid.removeprefix("tests/").partition("::")[0].partition("/")[0]


def _turn(nodeid: str) -> int:
    place = _place(nodeid)
    return SHARE_A_SERVICE.index(place) if place in SHARE_A_SERVICE else len(SHARE_A_SERVICE)
