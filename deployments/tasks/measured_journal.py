"""A journal that tells how long each of its reads and writes took, and whether it failed."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from deployments.tasks.entry import Entry
from deployments.tasks.journal import Journal, JournalBroken
from deployments.tasks.work import Work

R = TypeVar("R")


class Measured(Protocol):
    """Told of an action (`read`, `write` or `forget`) after it; must return at once."""

    def __call__(self, action: str, seconds: float, /, *, failed: bool) -> None: ...


class MeasuredJournal:
    """`journal`, measured."""

    def __init__(
        self, journal: Journal, measured: Measured, monotonic: Callable[[], float] = time.perf_counter
    ) -> None:
        self._journal = journal
        self._measured = measured
        self._monotonic = monotonic

    async def read(self) -> list[Entry]:
        return await self._timed("read", self._journal.read())

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
