"""Whether the journal works: asked often, written seldom."""

import asyncio

import pytest

from deployments.errors import Unavailable
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.journal_check import LATELY_SECONDS, JournalCheck
from tests.tasks.journals import BrokenJournal


async def test_a_write_of_lately_is_enough() -> None:
    """However many ask at once; once it is old, there is another one."""
    clock = [0.0]
    journal = BrokenJournal()
    check = JournalCheck(journal, monotonic=lambda: clock[0])
    await asyncio.gather(*(check.passed() for _ in range(50)))
    assert journal.touches == 1
    clock[0] = LATELY_SECONDS - 0.1
    await check.passed()
    assert journal.touches == 1
    clock[0] = LATELY_SECONDS
    await check.passed()
    assert journal.touches == 2


async def test_a_journal_that_fails_is_asked_again_at_once() -> None:
    """So that the service counts as ready as soon as there is room on the disk."""
    journal = BrokenJournal()
    check = JournalCheck(journal)
    journal.out_of_order = True
    for _ in range(2):
        with pytest.raises(Unavailable, match="journal takes no writes") as refused:
            await check.passed()
        assert refused.value.retry_after > 0
    journal.out_of_order = False
    await check.passed()
    assert journal.touches == 3


async def test_a_journal_that_does_not_answer_fails() -> None:
    """A probe does not wait for a disk that hangs."""

    class Hanging(MemoryJournal):
        async def touch(self) -> None:
            await asyncio.Event().wait()

    with pytest.raises(Unavailable, match="journal takes no writes"):
        await JournalCheck(Hanging(), check_s=0.01).passed()
