"""A measured journal does what the journal does, and tells how long that took."""

import pytest

from deployments.tasks.journal import JournalBroken
from deployments.tasks.measured_journal import MeasuredJournal
from tests.tasks.entries import all_entries, entry, work
from tests.tasks.journals import BrokenJournal

Told = list[tuple[str, float, bool]]


def measured(*refused: int) -> tuple[MeasuredJournal, Told]:
    """A journal that refuses the writes with these numbers, and what it tells; each of its actions takes a second."""
    told: Told = []

    def tell(action: str, seconds: float, /, *, failed: bool) -> None:
        told.append((action, seconds, failed))

    seconds = iter(range(100))
    return MeasuredJournal(BrokenJournal(*refused), tell, lambda: next(seconds)), told


async def test_every_action_is_told() -> None:
    """With its own name and seconds; the journal's answers come through."""
    journal, told = measured()
    await journal.write(entry("a"), work("a"))
    assert await all_entries(journal) == [entry("a")]
    assert await journal.read_entry("a") == entry("a")
    assert await journal.read_work("a") == work("a")
    await journal.touch()
    await journal.forget(["a"])
    assert await all_entries(journal) == []
    assert told == [(action, 1, False) for action in ("write", "read", "read", "read", "write", "forget", "read")]


async def test_a_failure_is_told_too() -> None:
    """And is raised as it was."""
    journal, told = measured(1)
    with pytest.raises(JournalBroken, match="the disk is full"):
        await journal.write(entry("a"))
    assert told == [("write", 1, True)]
