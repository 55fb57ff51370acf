"""The feed: all changes of all tasks, in order, for mirrors in other processes."""

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

from deployments.tasks.record import Task

KEPT = 20_000
"""Changes; whoever falls further behind starts anew."""


class Mark(NamedTuple):
    """A place in a feed: the feed's own name, and the number of a change."""

    feed: str
    number: int


class Changes(NamedTuple):
    """What is new since an earlier mark: the newest state of each task that has changed.

    `is_gapless` is false where the earlier mark leads nowhere (any more): then this says only where the feed stands.
    """

    mark: Mark
    tasks: list[Task]
    is_gapless: bool


class Feed:
    """Not thread-safe: it lives on one event loop."""

    def __init__(self, keep: int = KEPT) -> None:
        self._name = uuid4().hex
        self._latest = 0
        self._log: deque[Task] = deque(maxlen=keep)
        self._news = asyncio.Event()

    def append(self, task: Task) -> None:
        """Tells of a task's newest state."""
        self._latest += 1
        self._log.append(task)
        self._news.set()
        self._news = asyncio.Event()

    async def since(self, mark: Mark | None, patience_s: float) -> Changes:
        """What is new since `mark`: as soon as there is something, or nothing after `patience_s` seconds."""
        if mark is None or mark.feed != self._name:
            return Changes(Mark(self._name, self._latest), [], is_gapless=False)
        if mark.number == self._latest:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience_s)
        now, missed = Mark(self._name, self._latest), self._latest - mark.number
        if missed > len(self._log):
            return Changes(now, [], is_gapless=False)
        newest = {task.id: task for task in islice(self._log, len(self._log) - missed, None)}
        return Changes(now, list(newest.values()), is_gapless=True)
