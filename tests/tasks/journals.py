"""Journals on a server, and journals that refuse writes, or let them wait."""

import asyncio
from collections.abc import AsyncIterator, Callable

from deployments.tasks.entry import Entry
from deployments.tasks.journal import HeldByItsProcess, Journal, JournalBroken, MemoryJournal, NotTheOwner, WriteUnknown
from deployments.tasks.postgres_journal import PostgresJournal
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.work import Work

PLACES: dict[str, Callable[..., Journal]] = {"redis": RedisJournal, "postgres": PostgresJournal}
"""Journals on a server, made from its URL, the application, and how many seconds to wait for an answer."""
TIMEOUT_S = 1.0
"""Long enough for a server on this machine, also while it is busy."""


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


class UnsureJournal(MemoryJournal):
    """Loses the answers to the writes whose numbers are given, which it does or does not do; refuses some others."""

    def __init__(self, *unsure: int, does_them: bool = True, refused: tuple[int, ...] = ()) -> None:
        super().__init__()
        self._unsure = unsure
        self._does_them = does_them
        self._refused = refused
        self.writes = 0

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        self.writes += 1
        if self.writes in self._refused:
            raise JournalBroken("it cannot be reached")
        if self.writes not in self._unsure or self._does_them:
            await super().write(entry, work)
        if self.writes in self._unsure:
            raise WriteUnknown("contact was lost")


class DisownedJournal(MemoryJournal):
    """Another process owns it."""

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        raise NotTheOwner("another process owns it now")


class LateJournal(HeldByItsProcess):
    """Another journal, which shows what has ended only when `show` is set, and breaks some times before."""

    def __init__(self, journal: Journal, breaks: int = 0) -> None:
        self.show = asyncio.Event()
        self._journal = journal
        self._breaks = breaks
        self.unfinished = journal.unfinished
        self.read_entry = journal.read_entry
        self.read_work = journal.read_work
        self.write = journal.write
        self.forget = journal.forget
        self.touch = journal.touch
        self.close = journal.close

    async def ended(self) -> AsyncIterator[list[Entry]]:
        await self.show.wait()
        async for entries in self._journal.ended():
            yield entries
            if self._breaks:
                self._breaks -= 1
                raise JournalBroken("it cannot be reached")


class HeldJournal(RedisJournal):
    """One in Redis whose writes wait while `goes_on` is cleared."""

    def __init__(self, url: str, application: str) -> None:
        super().__init__(url, application)
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self.goes_on.wait()
        await super().write(entry, work)


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
