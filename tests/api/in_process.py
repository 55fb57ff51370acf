"""The API in-process: the real application and the real orchestrator, with stages that a test decides."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import TypeVar

from deployments.api.answers import EnginesResponse
from deployments.api.app import ServiceEngines
from deployments.errors import Rate, TaskFailed, Unavailable
from deployments.settings import Settings
from deployments.spans import SpanContext, submission
from deployments.tasks.entry import Binding
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere, ErasureReport
from deployments.tasks.messages import (
    CancelTask,
    CheckCaller,
    CheckReady,
    EraseAvatar,
    FindBoundTask,
    GetOverview,
    ListTasks,
    Message,
    SendWebhookAgain,
    SubmitTask,
    Taken,
)
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.overview import Overview
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure, Task, now
from deployments.tasks.task_index import Page, Place, Wanted
from deployments.tasks.traces import SentRequest
from deployments.tasks.webhook import Answer
from deployments.tasks.webhooks import WebhookCall
from deployments.tasks.work import Outcome, StepRequest, Work
from tests.tasks.in_process import FakeStages, changed
from tests.tasks.journals import BrokenJournal

R = TypeVar("R")
BASE = "http://aige.test"
LOCAL = ServiceEngines(
    EnginesResponse(portrait=["local"], background=["local"], cut_out=["local"], blend=[]), generative=False
)


class InProcess:
    """A `Backend` on this event loop. It sends the orchestrator the messages that the service sends.

    `works` keeps what was submitted, `submissions` its spans, `asked_for` the ids that were asked about, `checked` the
    callers; `outcome` says how each last step ends, and `release`, once set, lets it. Each first step pays a unit of
    `model`, if that is set. `webhooks` keeps the tries of webhooks, which `receiver` answers, `erased` what is to go
    elsewhere, where providers delete what `deletes` says. It may be `away` or `broken`, or (`finds_bound`) know no
    idempotency key yet, as when a request comes too early. The orchestrator's time is the system's and `later`.
    """

    def __init__(self, settings: Settings) -> None:
        self.later = timedelta()
        self.checked: list[str] = []
        self.model: str | None = None
        self.works: list[Work] = []
        self.asked_for: list[str] = []
        self.submissions: list[SpanContext | None] = []
        self.outcome: Callable[[Work], Outcome] = lambda work: work
        self.away = False
        self.broken: Exception | None = None
        self.finds_bound = True
        self.release = asyncio.Event()
        self.release.set()
        stages = FakeStages(self._step)
        self.journal = BrokenJournal()
        self.webhooks: list[WebhookCall] = []
        self.erased: list[Elsewhere] = []
        self.deletes: Callable[[SentRequest], bool] = lambda _: True
        self.receiver: Callable[[WebhookCall], Answer] = lambda _: 200
        self.orchestrator = stages.orchestrator = Orchestrator(
            settings,
            self.journal,
            stages.send,
            deliver=self._deliver,
            erase_elsewhere=self._erase_elsewhere,
            clock=lambda: now() + self.later,
        )
        self._is_open = False

    async def _step(self, request: StepRequest) -> Outcome:
        if not request.work.done:
            self.works.append(request.work)
        if request.step != StepId.UPLOAD:
            return await self._paid(request) if self.model and not request.work.done else request.work
        await self.release.wait()
        return self.outcome(request.work)

    async def _deliver(self, call: WebhookCall) -> Answer:
        self.webhooks.append(call)
        return self.receiver(call)

    async def _erase_elsewhere(self, what: Elsewhere) -> ErasedElsewhere:
        self.erased.append(what)
        return ErasedElsewhere(len(what.objects), frozenset(filter(self.deletes, what.requests)))

    async def _paid(self, request: StepRequest) -> Outcome:
        async def send() -> str:
            return "request"

        try:
            await ClaimedCall(self._ask, request, "fal").submit(send, self.model)
        except TaskFailed as error:
            return Failure.of(error)
        return request.work.noting((), Charge(request.step, self.model or "", 1))

    async def _ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def check_caller(self, caller: str, key: str | None) -> Rate | None:
        self._may_be_away()
        self.checked.append(caller)
        return await self._ask(CheckCaller(caller, key))

    async def submit(self, task: Task, work: Work, binding: Binding | None) -> Taken:
        self._may_be_away()
        self.submissions.append(submission.get())
        if not self._is_open:
            self._is_open = True
            await self.orchestrator.recover()
        return await self._ask(SubmitTask(task, work, binding, now() + timedelta(days=365)))

    def _may_be_away(self) -> None:
        if self.away:
            raise Unavailable("The task status actor is restarting; try again in a few seconds.", 2, "actor")

    async def overview(self) -> Overview:
        self._may_be_away()
        return await self._ask(GetOverview())

    async def bound(self, binding: Binding) -> Task | None:
        return await self._ask(FindBoundTask(binding)) if self.finds_bound else None

    async def cancel(self, task_id: str) -> Task:
        return await self._ask(CancelTask(task_id))

    async def send_webhook_again(self, task_id: str) -> Task:
        return await self._ask(SendWebhookAgain(task_id))

    async def erase(self, caller: str, avatar_id: str) -> ErasureReport:
        self._may_be_away()
        return await self._ask(EraseAvatar(caller, avatar_id))

    async def check_ready(self) -> None:
        self._may_be_away()
        await self._ask(CheckReady())

    async def get(self, task_id: str) -> Task | None:
        self.asked_for.append(task_id)
        self._may_be_away()
        if self.broken is not None:
            raise self.broken
        return self.orchestrator.tasks.get(task_id)

    async def page(self, wanted: Wanted, after: Place | None, limit: int) -> Page:
        self._may_be_away()
        return await self._ask(ListTasks(wanted, after, limit))

    async def watch(self, task: Task) -> AsyncIterator[Task | None]:
        yield task
        while not task.is_ended:
            newer = await changed(self.orchestrator.tasks, task)
            if newer is None:
                return
            task = newer
            yield task
