"""The in-memory status map: every task that can be asked about, and who waits for its next change."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from deployments.tasks.record import Status, Task


class StatusMap:
    """Tasks by id. Not thread-safe: it lives on one event loop.

    Finished tasks are kept for `keep_for`, at most `keep_at_most` of them; unfinished ones for as long as they run.
    """

    def __init__(self, *, keep_for: timedelta, keep_at_most: int) -> None:
        self._keep_for = keep_for
        self._keep_at_most = keep_at_most
        self._tasks: dict[str, Task] = {}
        self._ended: dict[str, datetime] = {}  # by the time of ending, oldest first
        self._changes: dict[str, asyncio.Event] = {}
        self.by_status: Counter[Status] = Counter()

    def get(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def put(self, task: Task) -> None:
        """Stores the newest state of a task and wakes those who wait for it."""
        before = self._tasks.get(task.id)
        if before is not None:
            self.by_status[before.status] -= 1
        self.by_status[task.status] += 1
        self._tasks[task.id] = task
        if task.is_ended:
            self._ended.setdefault(task.id, task.timeline[-1].at)
            self._forget_oldest(now=task.timeline[-1].at)
        if change := self._changes.pop(task.id, None):
            change.set()

    @property
    def in_flight(self) -> int:
        """How many tasks have not ended."""
        return len(self._tasks) - len(self._ended)

    async def changed(self, task_id: str, seen: Task) -> Task | None:
        """The task as soon as it is no longer `seen`; None if it is not (or no longer) there."""
        while (task := self._tasks.get(task_id)) == seen:
            await self._changes.setdefault(task_id, asyncio.Event()).wait()
        return task

    def _forget_oldest(self, now: datetime) -> None:
        while self._ended:
            task_id, ended_at = next(iter(self._ended.items()))
            if now - ended_at < self._keep_for and len(self._ended) <= self._keep_at_most:
                return
            del self._ended[task_id]
            self.by_status[self._tasks.pop(task_id).status] -= 1
