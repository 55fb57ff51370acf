"""The mirror: tasks that were asked about here, as they stand in the orchestrator, kept up to date by one long-poll.

Asking about a task is the most frequent request of all. So each process that answers it looks here first, and asks the
orchestrator only about tasks that it has not heard of here.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn
from uuid import uuid4

from deployments.errors import NotInCharge, Unavailable
from deployments.tasks.followers import ENDED_AT_MOST, Changing, Gone, News
from deployments.tasks.messages import Ask, GetTask, WatchTasks
from deployments.tasks.record import Task
from deployments.tasks.status_map import StatusMap

KEEP_S = 600
GATHER_S = 0.001
"""For each change that has come, how long the next ones may gather: under load, many are fetched at once."""
GATHER_AT_MOST_S = 0.02
RETRY_S = 0.5
QUIET_S = 15
"""How long a watcher hears nothing, at most."""


class Mirror:
    """Shows nothing once the orchestrator is known to be unavailable, or was not heard for too long.

    It shows only what the long-poll tells, in that order; a task is told there once it was asked about. Each answer to
    the long-poll says how long it may be shown. Lives on one event loop, where `follow` runs for as long as it is used.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        quiet_s: float = QUIET_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._quiet_s = quiet_s
        self._sleep = sleep
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._until = -math.inf
        self._shown = StatusMap(keep_s=KEEP_S, keep_at_most=ENDED_AT_MOST, monotonic=monotonic)
        self._changing: set[str] = set()  # ids of tasks that only the orchestrator knows
        self._name = uuid4().hex

    @property
    def lag_s(self) -> float:
        """Seconds since the task status actor was last heard."""
        return self._monotonic() - self._heard_at

    async def follow(self) -> NoReturn:
        """Keeps the mirror up to date, for ever."""
        heard: int | None = None
        while True:
            asked_at = self._monotonic()
            try:
                told = await self._ask(WatchTasks(self._name, heard))
            except Unavailable as refusal:
                if isinstance(refusal, NotInCharge):  # a stand-by's: it lives
                    self._heard_at = self._monotonic()
                heard = None
                self._forget()
                await self._sleep(RETRY_S)
                continue
            self._heard_at = self._monotonic()
            if told.from_anew:
                self._forget()
            self._until = asked_at + told.good_for_s
            for news in told.news:
                self._hear(news)
            heard = told.number
            await self._sleep(min(len(told.news) * GATHER_S, GATHER_AT_MOST_S))

    async def get(self, task_id: str) -> Task | None:
        """The task as it stands.

        Raises:
            Unavailable: it is not here, and the orchestrator cannot be asked.
        """
        if self._may_show(task_id) and (task := self._shown.get(task_id)) is not None:
            return task
        return await self._ask(GetTask(task_id, self._name))

    def _may_show(self, task_id: str) -> bool:
        return task_id not in self._changing and self._monotonic() < self._until

    def _hear(self, news: News) -> None:
        if isinstance(news, Changing):
            self._changing.add(news.id)
            return
        self._changing.discard(news.id)
        if isinstance(news, Gone):
            self._shown.drop(news.id)
        else:
            self._shown.put(news)

    async def watch(self, task: Task) -> AsyncIterator[Task | None]:
        """`task` at once, then each newer state of it, up to and including the final one; outlives the orchestrator.

        None where nothing has been new for a while: whoever passes this on can show that the line is not dead.
        """
        yield task
        while not task.is_ended:
            try:
                async with asyncio.timeout(self._quiet_s):
                    newer = await self._newer(task)
            except TimeoutError:
                yield None
                continue
            if newer is None:
                return
            task = newer
            yield task

    async def _newer(self, seen: Task) -> Task | None:
        """The task as soon as it is another than `seen`; None where it is not there any more."""
        while True:
            news = self._shown.next_change(seen.id)  # before the question: what is told after that sets it
            try:
                task = await self.get(seen.id)
            except Unavailable:
                await self._sleep(RETRY_S)
                continue
            if task != seen:
                return task
            await news.wait()

    def _forget(self) -> None:
        self._until = -math.inf
        self._changing.clear()
        self._shown.clear()
