"""A journal that tells how long each of its reads and writes took, and whether it failed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

from deployments.tasks.entry import Entry
from deployments.tasks.journal import Ground, Hold, Journal, JournalBroken, Kept
from deployments.tasks.work import Work

R = TypeVar("R")


class Measured(Protocol):
    """Told of an action (`read`, `write`, `forget` or `renew`) after it; must return at once."""

    def __call__(self, action: str, seconds: float, /, *, failed: bool) -> None: ...


class MeasuredJournal:
    """`journal`, measured."""

    def __init__(
        self, journal: Journal, measured: Measured, monotonic: Callable[[], float] = time.perf_counter
    ) -> None:
        self._journal = journal
        self.is_leased = journal.is_leased
        self._measured = measured
        self._monotonic = monotonic

    async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
        return await self._journal.take(cluster, lease_s, ground)

    async def renew(self, *, is_busy: bool = False) -> bool:
        return await self._timed("renew", self._journal.renew(is_busy=is_busy))

    async def ask_for_it(self) -> None:
        await self._journal.ask_for_it()

    async def release(self) -> None:
        await self._journal.release()

    async def unfinished(self) -> list[Kept]:
        return await self._timed("read", self._journal.unfinished())

    def ended(self) -> AsyncIterator[list[Entry]]:
        return self._journal.ended()

    async def read_entry(self, task_id: str) -> Entry | None:
        return await self._timed("read", self._journal.read_entry(task_id))

    async def read_work(self, task_id: str) -> Work | None:
        return await self._timed("read", self._journal.read_work(task_id))

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self._timed("write", self._journal.write(entry, work))

    async def forget(self, task_ids: list[str]) -> None:
        await self._timed("forget", self._journal.forget(task_ids))

    async def touch(self) -> None:
        await self._timed("write", self._journal.touch())

    async def set_whole(self, *, is_whole: bool) -> None:
        await self._journal.set_whole(is_whole=is_whole)

    async def close(self) -> None:
        await self._journal.close()

    async def _timed(self, action: str, doing: Awaitable[R]) -> R:
        started = self._monotonic()
        try:
            done = await doing
        except JournalBroken:
            self._measured(action, self._monotonic() - started, failed=True)
            raise
        self._measured(action, self._monotonic() - started, failed=False)
        return done
