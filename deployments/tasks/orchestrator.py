"""Orchestration: runs the steps of every accepted task until the task has ended.

The orchestrator is the only writer of status. A stage answers with the outcome of its step. If a call to a stage raises
instead, its process was lost, and the task goes on with a new attempt, from its last checkpoint.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import pairwise

from deployments.errors import (
    Cancelled,
    Conflict,
    DeadlineExceeded,
    InternalError,
    NotFound,
    Rate,
    Unavailable,
    no_such_task,
)
from deployments.settings import Deadlines, Settings
from deployments.tasks.callers import Callers, Watcher
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere, EraseElsewhere, Erasure, ErasureReport
from deployments.tasks.feed import KEPT, Feed
from deployments.tasks.followers import Followers, Gone
from deployments.tasks.journal import Journal
from deployments.tasks.journal_check import JournalCheck
from deployments.tasks.ledger import Change, Ledger
from deployments.tasks.log_context import task_context
from deployments.tasks.messages import ANSWER_SECONDS, WATCH_SECONDS, CalledOff
from deployments.tasks.operations import Step, steps_left, unknown_steps
from deployments.tasks.overview import DayOfBills, Overview, Overviews
from deployments.tasks.paid_submits import PaidSubmits
from deployments.tasks.record import Failure, StaleWrite, Task, now
from deployments.tasks.stage_client import Send, StageClient, StepToSend
from deployments.tasks.task_index import Page, Place, Wanted
from deployments.tasks.traced import step_trace
from deployments.tasks.webhook import Answer, Webhook
from deployments.tasks.webhooks import Deliver, WebhookCall, Webhooks
from deployments.tasks.work import Outcome, Work

logger = logging.getLogger(__name__)


async def _undelivered(_: WebhookCall) -> Answer:
    return "nobody sends webhooks here"


async def _nothing_elsewhere(_: Elsewhere) -> ErasedElsewhere:
    return ErasedElsewhere(0, frozenset())


class Orchestrator:
    """Accepts tasks, runs their steps, and keeps their status. Use it on one event loop, and await `recover` first.

    `send` sends steps to the stages, `deliver` makes tries of webhooks, and `erase_elsewhere` erases what is not in the
    journal. `on_change` is called at each change of a task, `on_lost` when an attempt at it was lost, and `on_webhook`
    after each try of a webhook; `watcher` is told what callers do. `changes` and `called_off` tell other processes
    which tasks have changed, and which attempts are called off. What is told of tasks may be told on for `good_for()`
    seconds; `watch_s` is how long nobody hears anything, at most.
    """

    def __init__(  # noqa: PLR0913 - some of them only tests give
        self,
        settings: Settings,
        journal: Journal,
        send: Send,
        *,
        deliver: Deliver = _undelivered,
        erase_elsewhere: EraseElsewhere = _nothing_elsewhere,
        on_change: Callable[[Task], None] = lambda _: None,
        on_lost: Callable[[Task], None] = lambda _: None,
        on_webhook: Callable[[Webhook], None] = lambda _: None,
        watcher: Watcher | None = None,
        good_for: Callable[[], float] = lambda: math.inf,
        watch_s: float = WATCH_SECONDS,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._on_change = on_change
        self._on_lost = on_lost
        self._clock = clock
        self._sleep = sleep
        self.followers = Followers(good_for=good_for, watch_s=watch_s)
        self._is_read_by_others = journal.is_leased
        self.called_off = Feed[CalledOff](keep=max(KEPT, settings.limits.tasks_in_flight))
        self.journal_check = JournalCheck(journal)
        self.callers = Callers(settings, clock, watcher)
        self._spendings = self.callers.spendings
        self._bills = DayOfBills(clock)
        self._ledger = Ledger(
            settings,
            journal,
            clock=clock,
            sleep=sleep,
            hide=self.followers.hide,
            on_change=self._changed,
            on_loaded=self._loaded,
            callers=self.callers,
        )
        self._stages = StageClient(send, self._ledger.take_work)
        self._walking: dict[str, asyncio.Task[None]] = {}
        self.tasks = self._ledger.shown
        self.index = self._ledger.index
        self.webhooks = Webhooks(self._ledger, deliver, clock=clock, on_change=self.followers.show, on_try=on_webhook)
        self.paid_submits = PaidSubmits(self._ledger, settings, self._spendings, clock, amend=self.webhooks.amend)
        self.erasure = Erasure(
            self._ledger,
            erase_elsewhere,
            call_off=self._call_off,
            hide=self.followers.hide,
            on_gone=lambda task_id: self.followers.show(Gone(task_id)),
        )
        self._overviews = Overviews(lambda: self.in_flight, self.tasks.newest_ends, self.webhooks, self._bills)

    async def recover(self) -> None:
        """Continues every task in the journal that has not ended, and every webhook that waits.

        Raises:
            JournalBroken: the journal cannot be read.
        """
        for entry in await self._ledger.open():
            if entry.task.attempts:
                self._on_lost(entry.task)
                self.called_off.append(CalledOff(entry.task.id, entry.task.attempts))  # it may run on in its stage
            self._start(entry.task, is_new=False)
        self._delivering = asyncio.create_task(self.webhooks.run())

    async def submit(
        self, task: Task, work: Work, binding: Binding | None = None, until: datetime | None = None
    ) -> Task:
        """Accepts a new task, or returns the existing one with the same id or idempotency key.

        A call that arrives after `until` is refused: its caller has given up waiting, so the task must not start.

        Raises:
            Conflict: the idempotency key is bound to another request.
            QuotaExceeded, BudgetUsedUp: a limit of its caller is reached.
            Unavailable: too many tasks are in flight, or the journal does not work.
        """
        if until is not None and self._clock() > until:
            raise Unavailable("The service was busy for too long; try again.", 1, "late")
        if (known := await self._ledger.known(task.id, binding)) is not None:
            return await self._settled(known)
        first, *_ = steps_left(work)  # its status and the first attempt are written with the task itself
        task = task.attempted().advanced(1, first.status, self._clock())
        patience_s = None if until is None else patience_left(until, self._clock())
        await self._ledger.create(task, work, binding, partial(self._start, is_new=True), patience_s)
        return task

    def check_caller(self, caller: str, key: str | None) -> Rate | None:
        """Returns where the caller stands if it may start another task, or repeats a request, known by its key alone.

        Raises:
            QuotaExceeded, BudgetUsedUp: a limit of its own is reached.
        """
        if key is not None and self._ledger.is_bound(key):
            return self.callers.rate(caller)
        return self.callers.check(caller)

    async def get(self, task_id: str) -> Task | None:
        """The task as it stands; None if there is no such task.

        Where stand-bys read the journal, this waits for a change that is being written: they may show it already.
        """
        await self.followers.settled(task_id)
        if self._is_read_by_others:
            await self.followers.shown(task_id)
        return await self._ledger.get(task_id)

    async def bound(self, binding: Binding) -> Task | None:
        """The task that was accepted with this idempotency key.

        Raises:
            Conflict: the key is bound to another request.
        """
        bound = await self._ledger.bound(binding)
        return None if bound is None else await self._settled(bound)

    def awaits_receipts(self) -> bool:
        """Whether something was perhaps sent to a provider, and its receipt has not come."""
        return any(entry.awaits_receipts for entry in self._ledger.entries())

    async def page(self, wanted: Wanted, after: Place | None, limit: int) -> Page:
        """See `TaskIndex.page`."""
        await self._ledger.loaded()
        page = self.index.page(wanted, after, limit)
        for task in page.tasks:
            await self._settled(task)
        return page

    async def _settled(self, task: Task) -> Task:
        """Returns it once no mirror shows an earlier state of it."""
        await self.followers.settled(task.id)
        return task

    async def overview(self) -> Overview:
        """See `Overviews.latest`."""
        await self._ledger.loaded()
        return self._overviews.latest()

    async def erase(self, caller: str, avatar_id: str) -> ErasureReport:
        """See `Erasure.erase`."""
        await self._ledger.loaded()
        return await self.erasure.erase(caller, avatar_id)

    async def cancel(self, task_id: str) -> Task:
        """Ends a task as `cancelled`, and cancels its running step.

        Raises:
            NotFound: there is no such task.
            Conflict: it has already ended.
        """
        if await self.get(task_id) is None:
            raise no_such_task()
        try:
            return await self._settled(await self._end_as_cancelled(task_id))
        except (NotFound, StaleWrite):
            raise Conflict("The task has already ended.") from None

    async def _end_as_cancelled(self, task_id: str, change: Change = lambda entry: entry) -> Task:
        """Ends a task that runs, and makes the `change` in the same write.

        Raises:
            NotFound, StaleWrite: it does not run.
        """
        cancelled = Failure.of(Cancelled("The task was cancelled."))

        def ended(entry: Entry) -> Entry:
            return change(entry.with_task(entry.task.failed(cancelled, self._clock())))

        entry = await self._ledger.change(task_id, ended)
        self.webhooks.add(entry)
        if walking := self._walking.get(task_id):
            walking.cancel()
        return entry.task

    async def _call_off(self, task_id: str) -> None:
        """Cancels a task that is to be erased, where it runs; its end is told to nobody."""
        await self.paid_submits.until_answered(task_id)
        with suppress(NotFound, StaleWrite):
            await self._end_as_cancelled(task_id, Entry.without_webhook)
        await self.webhooks.drop([task_id])

    @property
    def in_flight(self) -> list[Task]:
        """The tasks that have not ended."""
        return self._ledger.in_flight

    async def send_webhook_again(self, task_id: str) -> Task:
        """Begins the schedule of an ended task's webhook anew.

        Raises:
            NotFound: there is no such task.
            Conflict: it has not ended, or has no webhook.
        """
        await self._ledger.loaded()
        if (task := self.tasks.get(task_id)) is None:
            raise no_such_task()
        if task.webhook is None:
            raise Conflict("The task has no webhook.")
        if not task.is_ended:
            raise Conflict("The task has not ended yet; its webhook is sent when it does.")
        return await self._settled(await self.webhooks.send_again(task_id))

    def _loaded(self, to_tell: list[Entry]) -> None:
        for entry in to_tell:
            self.webhooks.add(entry)
        self._bills.recall(self.tasks.newest_ends())

    def _changed(self, task: Task) -> None:
        self.followers.show(task)
        self.callers.note(task)
        self._bills.note(task)
        self._on_change(task)

    def _start(self, task: Task, *, is_new: bool) -> None:
        """Runs the task to its end. The first attempt of a new task was recorded when it was accepted."""
        walking = asyncio.create_task(self._until_ended(task, is_new=is_new), name=task.id)
        self._walking[task.id] = walking

        def ended(_: object) -> None:
            del self._walking[task.id]

        walking.add_done_callback(ended)

    async def _until_ended(self, task: Task, *, is_new: bool) -> None:
        with task_context(task.id):
            running = asyncio.ensure_future(self._attempts(task.id, is_new=is_new))
            try:
                await asyncio.wait({running}, timeout=seconds_left(task, self._settings.deadlines, self._clock()))
                outcome = running.result() if running.done() else self._out_of_time()
                entry = await self._ledger.change(task.id, lambda entry: self._ended(entry, outcome))
            except (NotFound, StaleWrite):  # it was cancelled meanwhile
                return
            finally:  # after the task's end, not before: a stage that is cancelled asks whether its task has ended
                running.cancel()
            self._spendings.note(entry)
            self.webhooks.add(entry)
            logger.info("%s", _end_in_words(entry.task))

    def _out_of_time(self) -> Failure:
        seconds = self._settings.deadlines.task_s
        return Failure.of(DeadlineExceeded(f"The task was not done within {seconds:g} s; try again."))

    async def _attempts(self, task_id: str, *, is_new: bool) -> Outcome:
        """Starts attempts until one has an outcome, or too many were lost; returns how the task ends.

        Raises:
            NotFound, StaleWrite: the task has already ended.
        """
        for lost in range(self._settings.attempts):
            entry = await self._begun(task_id, is_new=is_new and lost == 0)
            try:
                return await self._walk(entry, await self._ledger.work(task_id))
            except (NotFound, StaleWrite):
                raise
            except BaseException as error:
                self.called_off.append(CalledOff(task_id, entry.task.attempts))
                if not isinstance(error, Exception):  # the task has ended otherwise
                    raise
                logger.exception("Attempt %d was lost.", entry.task.attempts)
                self._on_lost(entry.task)
            finally:
                self._stages.written(task_id)
            await self._sleep(min(0.5 * 2**lost, 8))
        return Failure.of(InternalError("The service lost this task several times over; try again."))

    async def _begun(self, task_id: str, *, is_new: bool) -> Entry:
        if is_new:
            return self._ledger.unfinished(task_id).entry
        return await self._ledger.change(task_id, lambda entry: entry.with_task(entry.task.attempted()))

    async def _walk(self, entry: Entry, work: Work) -> Outcome:
        """One attempt: runs the unfinished steps in order, until one fails or all are done.

        Before it calls the next stage, a step's result is durable and the next status is shown. While a stage works,
        this holds no picture.
        """
        task = entry.task
        if unknown := unknown_steps(task.operation, {*work.done, *entry.paid}):
            logger.error("The journal names steps that this version does not know: %s.", ", ".join(sorted(unknown)))
            return Failure.of(InternalError("The task was begun by another version of the service; submit it again."))
        size, work, made = work.size, work.without_pictures(), None
        for step in steps_left(work):
            if not step.when(work):
                work = work.past(step.id)  # for good: what a later step makes must not bring it back
                continue
            entry = await self._begin_step(task, step, made)
            made = None
            self._stages.written(task.id)
            trace = step_trace(task, self._clock()) if task.traceparent else None
            call = StepToSend(task.id, step.id, task.attempts, entry.paid.get(step.id, {}), size, trace)
            outcome = await self._stages.call(step.stage, call)
            if isinstance(outcome, Failure):
                return outcome
            made = outcome.past(*work.done, step.id)
            del outcome
            size, work = made.size, made.without_pictures()
        return work

    async def _begin_step(self, task: Task, step: Step, made: Work | None) -> Entry:
        """Shows the step's status. The same commit records `made`, the result of the earlier steps, if it is new."""

        def begun(entry: Entry) -> Entry:
            task_now = entry.task.advanced(task.attempts, step.status, self._clock())
            if made is None:
                return entry.with_task(task_now)
            return self._billed(entry, task_now, made).past(made.done)

        entry = await self._ledger.change(task.id, begun, made)
        self._spendings.note(entry)
        return entry

    def _billed(self, entry: Entry, task: Task, made: Work) -> Entry:
        """The entry with a newer record, and with what the steps so far have cost, noted, and who has done them."""
        amounts = self._spendings.prices.amounts(made.charges)
        task = task.charged(made.charges, made.made_by, amounts, made.notes)
        return self._spendings.billed(entry, made.charges).with_task(task)

    def _ended(self, entry: Entry, outcome: Outcome) -> Entry:
        if isinstance(outcome, Failure):
            return entry.with_task(entry.task.failed(outcome, self._clock()))
        ended = entry.task.finished(entry.task.attempts, self._clock())
        return self._billed(entry, ended, outcome)


def _end_in_words(task: Task) -> str:
    """What is logged at its end: how it ended, how long it showed each status, and who made it."""
    outcome = task.error.code if task.error else task.status
    spent = (
        f"{shown.status} {(later.at - shown.at).total_seconds():.3f} s" for shown, later in pairwise(task.timeline)
    )
    makers = "".join(f"; {step} by {model or 'no model'} of {engine}" for step, engine, model in task.made_by)
    return f"{task.operation} ended as {outcome}: {', '.join(spent)}{makers}; its caller: {task.caller}."


def patience_left(until: datetime, at: datetime) -> float:
    """The seconds that a caller still waits. The clock behind `until` is another machine's, and may be ahead."""
    return min((until - at).total_seconds(), ANSWER_SECONDS)


def seconds_left(task: Task, deadlines: Deadlines, at: datetime) -> float:
    """Until the task's deadline, but at least `stage_s`, so that an old task has time for a step after a restart."""
    elapsed = (at - task.timeline[0].at).total_seconds()
    return min(max(deadlines.task_s - elapsed, deadlines.stage_s), deadlines.task_s)
