"""The in-memory status map: every task that can be asked about, and who waits for its next change."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from weakref import WeakValueDictionary

from deployments.tasks.record import Status, Task


class StatusMap:
    """Tasks by id. Not thread-safe: it lives on one event loop.

    Finished tasks are kept for `keep_s` seconds, at most `keep_at_most` of them; unfinished ones for as long as they
    run. `monotonic` counts the seconds, so that a wall clock that jumps forgets nothing.
    """

    def __init__(self, *, keep_s: float, keep_at_most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._keep_at_most = keep_at_most
        self._monotonic = monotonic
        self._tasks: dict[str, Task] = {}
        self._ended: dict[str, float] = {}  # when each ended, the oldest first
        self._changes = WeakValueDictionary[str, asyncio.Event]()  # for as long as somebody holds them
        self._is_restored = True
        self.by_status: Counter[Status] = Counter()

    def get(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def newest_ends(self, count: int | None = None) -> list[Task]:
        """So many of the tasks that have ended, or all of them, the newest end first."""
        return [self._tasks[task_id] for task_id in islice(reversed(self._ended), count)]

    def put(self, task: Task) -> list[str]:
        """Stores the newest state of a task and wakes those who wait for it.

        Returns:
            The ids of finished tasks that have been forgotten.
        """
        before = self._tasks.get(task.id)
        if before is not None:
            self.by_status[before.status] -= 1
        self.by_status[task.status] += 1
        self._tasks[task.id] = task
        if task.is_ended:
            self._ended.setdefault(task.id, self._monotonic())
        if change := self._changes.pop(task.id, None):
            change.set()
        return list(self._forgotten()) if task.is_ended else []

    def restore(self, task: Task, age_s: float) -> None:
        """Stores a task that ended `age_s` seconds ago. Until `restored` is called, none is forgotten."""
        self._is_restored = False
        self.by_status[task.status] += 1
        self._tasks[task.id] = task
        self._ended[task.id] = self._monotonic() - age_s

    def restored(self) -> list[str]:
        """All are stored that had ended, in whichever order.

        Returns:
            The ids of finished tasks that have been forgotten.
        """
        self._ended = dict(sorted(self._ended.items(), key=itemgetter(1)))
        self._is_restored = True
        return list(self._forgotten())

    def outdated(self) -> list[str]:
        """Forgets the finished tasks whose time is over, and returns their ids."""
        return list(self._forgotten())

    def next_change(self, task_id: str) -> asyncio.Event:
        """Is set once the task is put or dropped again."""
        return self._changes.setdefault(task_id, asyncio.Event())

    def drop(self, task_id: str) -> None:
        """Forgets a task, if it is there, and tells those who wait for it."""
        self._ended.pop(task_id, None)
        if (task := self._tasks.pop(task_id, None)) is not None:
            self.by_status[task.status] -= 1
        if change := self._changes.pop(task_id, None):
            change.set()

    def clear(self) -> None:
        """Forgets everything, and tells those who wait."""
        self._tasks.clear()
        self._ended.clear()
        self.by_status.clear()
        for change in self._changes.values():
            change.set()
        self._changes.clear()

    def _forgotten(self) -> Iterator[str]:
        while self._ended and self._is_restored:
            task_id, ended_at = next(iter(self._ended.items()))
            if self._monotonic() - ended_at < self._keep_s and len(self._ended) <= self._keep_at_most:
                return
            del self._ended[task_id]
            self.by_status[self._tasks.pop(task_id).status] -= 1
            yield task_id
