"""Supervision: every accepted task is run until it has ended.

The supervisor is the only writer of status. A run that *returns* says how the task ended; a run that *raises* was lost
with the process that ran it, and is started again as a new attempt, a bounded number of times.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from deployments.errors import DeadlineExceeded, InternalError, Unavailable
from deployments.settings import Settings
from deployments.task_logging import task_context
from deployments.tasks.record import Failure, Status, Task, now
from deployments.tasks.status_map import StatusMap
from deployments.tasks.work import Work

logger = logging.getLogger("ray.serve")

Outcome = Work | Failure
Run = Callable[[Work, int], Awaitable[Outcome]]
"""Runs one attempt (its number is given) at some work; raises only if the attempt was lost."""

OnChange = Callable[[Task, Mapping[Status, int]], None]
"""Told of each change of a task, with how many tasks show each status now."""


def _ignore(_task: Task, _by_status: Mapping[Status, int]) -> None:
    pass


class Supervisor:
    """Accepts tasks, runs them, and keeps their status. Lives on one event loop."""

    def __init__(
        self,
        settings: Settings,
        run: Run,
        *,
        on_change: OnChange = _ignore,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._run = run
        self._on_change = on_change
        self._clock = clock
        self._sleep = sleep
        self._running: dict[str, asyncio.Task[None]] = {}
        self.tasks = StatusMap(
            keep_for=timedelta(hours=settings.retention.hours), keep_at_most=settings.retention.tasks
        )

    def accept(self, task: Task, work: Work) -> Task:
        """Takes on a new task; accepting the same id again gives the task that is there.

        Raises:
            Unavailable: too many tasks are in flight.
        """
        if (known := self.tasks.get(task.id)) is not None:
            return known
        if self.tasks.in_flight >= self._settings.limits.tasks_in_flight:
            raise Unavailable("Too many tasks are in flight; try again in a few seconds.", 5)
        self._put(task)
        self._running[task.id] = asyncio.create_task(self._supervise(work), name=task.id)
        return task

    def advance(self, task_id: str, attempt: int, status: Status) -> None:
        """The attempt enters the stage that shows `status`.

        Raises:
            StaleWrite: the attempt may not write any more.
        """
        self._put(self._task(task_id).advanced(attempt, status, self._clock()))

    async def _supervise(self, work: Work) -> None:
        with task_context(work.task_id):
            try:
                async with asyncio.timeout(self._settings.deadlines.task_s):
                    outcome = await self._outcome(work)
            except TimeoutError:
                seconds = self._settings.deadlines.task_s
                outcome = Failure.of(DeadlineExceeded(f"The task was not done within {seconds:g} s; try again."))
            self._end(work.task_id, outcome)

    async def _outcome(self, work: Work) -> Outcome:
        for attempt in range(1, self._settings.attempts + 1):
            self._put(self._task(work.task_id).attempted())
            try:
                return await self._run(work, attempt)
            except Exception:  # whatever it was, the attempt is lost and the task is not
                logger.exception("Attempt %d of %d was lost.", attempt, self._settings.attempts)
            await self._sleep(0.5 * 2 ** (attempt - 1))
        return Failure.of(InternalError("The service lost this task several times over; try again."))

    def _end(self, task_id: str, outcome: Outcome) -> None:
        task = self._task(task_id)
        if isinstance(outcome, Failure):
            task = task.failed(outcome, self._clock())
        else:
            task = task.finished(task.attempts, outcome.notes, self._clock())
        self._put(task)
        del self._running[task_id]
        logger.info("%s ended as %s.", task.operation, task.failure.code if task.failure else "done")

    def _put(self, task: Task) -> None:
        self.tasks.put(task)
        self._on_change(task, self.tasks.by_status)

    def _task(self, task_id: str) -> Task:
        task = self.tasks.get(task_id)
        if task is None:
            raise KeyError(task_id)
        return task
