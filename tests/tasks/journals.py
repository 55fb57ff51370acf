"""Journals that refuse writes, or let them wait."""

import asyncio

from deployments.tasks.entry import Entry
from deployments.tasks.journal import JournalBroken, MemoryJournal
from deployments.tasks.work import Work


class BrokenJournal(MemoryJournal):
    """Refuses the writes whose numbers are given, counted from 1; and each touch, while it is `out_of_order`."""

    def __init__(self, *refused: int) -> None:
        super().__init__()
        self._refused = refused
        self.writes = 0
        self.touches = 0
        self.out_of_order = False

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        self.writes += 1
        if self.writes in self._refused:
            raise JournalBroken("the disk is full")
        await super().write(entry, work)

    async def touch(self) -> None:
        self.touches += 1
        if self.out_of_order:
            raise JournalBroken("the disk is full")


class SlowJournal(MemoryJournal):
    """Lets writes through one by one."""

    def __init__(self) -> None:
        super().__init__()
        self._let_through = asyncio.Semaphore(0)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self._let_through.acquire()
        await super().write(entry, work)

    def let_one_through(self) -> None:
        self._let_through.release()
