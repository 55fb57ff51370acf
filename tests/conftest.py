"""What runs beside what: tests that share a running service stay in one process, in their order."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SHARE_A_SERVICE = ("ui", "chaos", "e2e", "test_commands.py")
"""The longest first, so that none of them is left to run alone at the end."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` runs two tests at a time; each group of these is one of them."""
    for item in items:
        if _place(item) in SHARE_A_SERVICE:
            item.add_marker(pytest.mark.xdist_group(_place(item)))
    items.sort(key=_turn)


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def _turn(item: pytest.Item) -> int:
    place = _place(item)
    return SHARE_A_SERVICE.index(place) if place in SHARE_A_SERVICE else len(SHARE_A_SERVICE)
