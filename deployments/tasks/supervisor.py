"""Supervision: every accepted task is run until it has ended.

The supervisor is the only writer of status. A run that *returns* says how the task ended; a run that *raises* was lost
with the process that ran it, and is started again as a new attempt, from the last finished stage.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from deployments.errors import Cancelled, Conflict, DeadlineExceeded, InternalError, NotFound, Unavailable
from deployments.settings import Settings
from deployments.task_logging import task_context
from deployments.tasks.attempt import Outcome
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.journal import Journal
from deployments.tasks.ledger import Ledger
from deployments.tasks.paid_submits import PaidSubmits
from deployments.tasks.record import Failure, StaleWrite, Status, Task, now
from deployments.tasks.work import Work

logger = logging.getLogger("ray.serve")

Run = Callable[[Work], Awaitable[Outcome]]
"""Runs one attempt at some work; raises only if the attempt was lost. Cancelling it cancels all that it started."""


class Supervisor:
    """Accepts tasks, runs them, and keeps their status. Lives on one event loop; `recover` comes first.

    `on_change` is told of each change of a task.
    """

    def __init__(  # noqa: PLR0913 - three of them only tests give
        self,
        settings: Settings,
        journal: Journal,
        run: Run,
        *,
        on_change: Callable[[Task], None] = lambda _: None,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._run = run
        self._clock = clock
        self._sleep = sleep
        self._ledger = Ledger(settings, journal, clock=clock, sleep=sleep, on_change=on_change)
        self._fresh: dict[str, Work] = {}  # new work on its way to its first run; later runs read the journal's
        self._supervising: dict[str, asyncio.Task[None]] = {}
        self.paid_submits = PaidSubmits(self._ledger, settings)
        self.tasks = self._ledger.shown

    async def recover(self) -> None:
        """Goes on with every task that the journal knows and that has not ended.

        Raises:
            JournalBroken: the journal cannot be read.
        """
        for task in await self._ledger.open():
            self._supervise(task)

    async def accept(
        self, task: Task, work: Work, binding: Binding | None = None, until: datetime | None = None
    ) -> Task:
        """Takes on a new task, or gives the one that is there under the same id or idempotency key.

        A call that comes in after `until` is refused: its caller has given up waiting, and must not get a task that it
        does not know of.

        Raises:
            Conflict: the idempotency key is bound to another request.
            Unavailable: too many tasks are in flight, or the journal does not work.
        """
        if until is not None and self._clock() > until:
            raise Unavailable("The service was busy for too long; try again.", 1)
        if (known := await self._ledger.known(task.id, binding)) is not None:
            return known
        task = task.attempted()  # written once, with the task itself
        await self._ledger.create(task, work, binding)
        self._fresh[task.id] = work
        self._supervise(task)
        return task

    async def bound(self, binding: Binding) -> Task | None:
        """The task that was accepted with this idempotency key.

        Raises:
            Conflict: the key is bound to another request.
        """
        return await self._ledger.known("", binding)

    async def advance(self, task_id: str, attempt: int, status: Status, work: Work | None = None) -> None:
        """The attempt enters the stage that shows `status`, with `work` done so far (None: nothing new).

        Raises:
            NotFound, StaleWrite: the attempt may not write any more.
        """

        def entering(task: Task) -> Task:
            task = task.advanced(attempt, status, self._clock())
            return task.charged(work.charges) if work else task

        await self._ledger.change(task_id, lambda entry: entry.with_task(entering(entry.task)), work)

    async def cancel(self, task_id: str) -> Task:
        """Ends a task as `cancelled`, and cancels its run.

        Raises:
            NotFound: there is no such task.
            Conflict: it has already ended.
        """
        if self.tasks.get(task_id) is None:
            raise NotFound("There is no such task; finished tasks are forgotten after a day.")
        cancelled = Failure.of(Cancelled("The task was cancelled."))
        try:
            entry = await self._ledger.change(
                task_id, lambda entry: entry.with_task(entry.task.failed(cancelled, self._clock()))
            )
        except (NotFound, StaleWrite):
            raise Conflict("The task has already ended.") from None
        if supervising := self._supervising.get(task_id):
            supervising.cancel()
        return entry.task

    def _supervise(self, task: Task) -> None:
        supervising = asyncio.create_task(self._until_ended(task), name=task.id)
        self._supervising[task.id] = supervising

        def ended(_: object) -> None:
            del self._supervising[task.id]
            self._fresh.pop(task.id, None)  # it may have ended before its first run began

        supervising.add_done_callback(ended)

    async def _until_ended(self, task: Task) -> None:
        with task_context(task.id):
            running = asyncio.ensure_future(self._attempts(task.id))
            try:
                await asyncio.wait({running}, timeout=self._seconds_left(task))
                outcome = running.result() if running.done() else self._out_of_time()
                entry = await self._ledger.change(
                    task.id, lambda entry: entry.with_task(_ended(entry.task, outcome, self._clock()))
                )
            except (NotFound, StaleWrite):  # it was cancelled meanwhile
                return
            finally:  # after the task's end, not before: a stage that is cancelled asks whether its task has ended
                running.cancel()
            ended = entry.task
            logger.info("%s ended as %s.", ended.operation, ended.failure.code if ended.failure else ended.status)

    def _out_of_time(self) -> Failure:
        seconds = self._settings.deadlines.task_s
        return Failure.of(DeadlineExceeded(f"The task was not done within {seconds:g} s; try again."))

    async def _attempts(self, task_id: str) -> Outcome:
        """How the task ends, whatever its attempts raise.

        Raises:
            NotFound, StaleWrite: it has ended already.
        """
        for lost in range(self._settings.attempts):
            entry = await self._begun(task_id)
            try:
                return await self._run(await self._work(entry))
            except Exception:  # whatever it was, the attempt is lost and the task is not
                logger.exception("Attempt %d was lost.", entry.task.attempts)
            await self._sleep(min(0.5 * 2**lost, 8))
        return Failure.of(InternalError("The service lost this task several times over; try again."))

    async def _begun(self, task_id: str) -> Entry:
        """The task with its next attempt begun, as the first one is when the task is accepted."""
        if task_id in self._fresh:
            return self._ledger.unfinished(task_id).entry
        return await self._ledger.change(task_id, lambda entry: entry.with_task(entry.task.attempted()))

    async def _work(self, entry: Entry) -> Work:
        task = entry.task
        work = self._fresh.pop(task.id, None) or await self._ledger.work(task.id)
        receipts = {stage: submit.receipt for stage, submit in entry.paid.items() if submit.receipt is not None}
        return replace(work, attempt=task.attempts, receipts=receipts)

    def _seconds_left(self, task: Task) -> float:
        """Until the task's deadline; a task that was interrupted gets a stage's time at least, however long it was."""
        deadlines = self._settings.deadlines
        elapsed = (self._clock() - task.timeline[0].at).total_seconds()
        return min(max(deadlines.task_s - elapsed, deadlines.stage_s), deadlines.task_s)


def _ended(task: Task, outcome: Outcome, at: datetime) -> Task:
    if isinstance(outcome, Failure):
        return task.failed(outcome, at)
    return task.charged(outcome.charges).finished(task.attempts, outcome.notes, at)
