"""The mirror: recent tasks, as they stand in the orchestrator, kept in another process by one long-poll.

Asking about a task is the most frequent request of all. So each process that answers it looks here first, and asks the
orchestrator only about tasks that nobody has heard of here.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn
from uuid import uuid4

from deployments.errors import Unavailable
from deployments.tasks.feed import Mark
from deployments.tasks.followers import Changing, Gone, News
from deployments.tasks.messages import Ask, GetTask, WatchTasks
from deployments.tasks.record import Task
from deployments.tasks.status_map import StatusMap

KEEP_S = 600
KEEP_AT_MOST = 10_000
GATHER_S = 0.001
"""For each change that has come, how long the next ones may gather: under load, many are fetched at once."""
GATHER_AT_MOST_S = 0.02
RETRY_S = 0.5
QUIET_S = 15
"""How long a watcher hears nothing, at most."""


class Mirror:
    """Shows nothing once the orchestrator is known to be unavailable, or was not heard for too long.

    Each answer to the long-poll says how long it may be shown. Lives on one event loop, where `follow` runs for as long
    as it is used.
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
        self._shown: StatusMap | None = None  # None: nothing heard yet, or it is away
        self._heard = asyncio.Event()
        self._changing: set[str] = set()  # ids of tasks that only the orchestrator knows
        self._gone: dict[str, None] = {}  # in the order in which they were heard of
        self._name = uuid4().hex

    @property
    def lag_s(self) -> float:
        """Seconds since the orchestrator was last heard."""
        return self._monotonic() - self._heard_at

    async def follow(self) -> NoReturn:
        """Keeps the mirror up to date, for ever."""
        mark: Mark | None = None
        while True:
            asked_at = self._monotonic()
            try:
                (mark, told, is_gapless), good_for_s = await self._ask(WatchTasks(self._name, mark))
            except Unavailable:
                mark = None
                self._forget()
                await self._sleep(RETRY_S)
                continue
            self._heard_at = self._monotonic()
            self._until = asked_at + good_for_s
            if self._shown is None or not is_gapless:
                self._begin_anew()
            for news in told:
                self._hear(news)
            await self._sleep(min(len(told) * GATHER_S, GATHER_AT_MOST_S))

    async def get(self, task_id: str) -> Task | None:
        """The task as it stands.

        Raises:
            Unavailable: it is not here, and the orchestrator cannot be asked.
        """
        shown = self._shown  # before the question: what is answered may be too old for a later one
        if shown is not None and self._may_show(task_id) and (task := shown.get(task_id)) is not None:
            return task
        task = await self._ask(GetTask(task_id))
        if task_id in self._gone:  # the answer was on its way when that was heard
            return None
        return _put(shown, task) if shown is not None and task is not None else task

    def _may_show(self, task_id: str) -> bool:
        return task_id not in self._changing and self._monotonic() < self._until

    def _hear(self, news: News) -> None:
        if isinstance(news, Changing):
            self._changing.add(news.id)
        else:
            self._changing.discard(news.id)
            self.note(news)

    def note(self, task: Task | Gone) -> None:
        """Shows what has been heard of a task, unless something newer is shown already, or the task is gone."""
        if isinstance(task, Gone):
            self._note_gone(task.id)
        elif self._shown is not None and task.id not in self._gone:
            _put(self._shown, task)

    def _note_gone(self, task_id: str) -> None:
        self._gone[task_id] = None
        if len(self._gone) > KEEP_AT_MOST:
            del self._gone[next(iter(self._gone))]
        if self._shown is not None:
            self._shown.drop(task_id)

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
            await self._heard.wait()
            shown = self._shown
            try:
                task = await self.get(seen.id)
            except Unavailable:
                await self._sleep(RETRY_S)
                continue
            if task != seen:
                return task
            if shown is not None:
                await shown.changed(seen.id, seen)

    def _begin_anew(self) -> None:
        self._forget()
        self._shown = StatusMap(keep_s=KEEP_S, keep_at_most=KEEP_AT_MOST)
        self._heard.set()

    def _forget(self) -> None:
        forgotten, self._shown = self._shown, None
        self._changing.clear()
        self._heard.clear()
        if forgotten is not None:
            forgotten.clear()


def _put(shown: StatusMap, task: Task) -> Task:
    """The newer of `task` and what is shown of it, which is shown from now on."""
    known = shown.get(task.id)
    if known is not None and task.is_older_than(known):
        return known
    shown.put(task)
    return task
