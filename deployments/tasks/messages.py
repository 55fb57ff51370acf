"""Messages from other processes to the orchestrator. Each is a class with its reply, its delivery and its handler.

To add one, write its class here, and `await ask(...)` it where you need it. `deployments.runtime.client` carries them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from deployments.errors import Rate
from deployments.tasks.entry import Binding
from deployments.tasks.erasure import ErasureReport
from deployments.tasks.feed import Changes, Mark
from deployments.tasks.followers import Told
from deployments.tasks.journal_check import CHECK_SECONDS
from deployments.tasks.overview import Overview
from deployments.tasks.record import Charge, Task
from deployments.tasks.task_index import Page, Place, Wanted
from deployments.tasks.work import Work

if TYPE_CHECKING:
    from deployments.tasks.orchestrator import Orchestrator

ANSWER_SECONDS = 5
"""The orchestrator refuses a submission that reaches it later than this. Its client gets a 503 one second after."""

WATCH_SECONDS = 20
"""A long-poll is answered at least this often, so that the asking process knows that the orchestrator lives."""


class Delivery(NamedTuple):
    """How a message travels.

    `batched` messages share a call. A message whose answer takes a while travels alone. After `patience_s` seconds
    without an answer, `Unavailable` is raised. An `until_heard` message is repeated while the orchestrator restarts or
    is replaced, so its handler must be idempotent.
    """

    batched: bool = True
    patience_s: float | None = None
    until_heard: bool = False


R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Message(ABC, Generic[R_co]):
    """One message; `R_co` is its reply.

    A message `from_callers` is answered only by who may tell what stands in the journal. One that `begins_work` is
    refused while the journal goes to another cluster; from callers, it makes a stand-by ask for the journal.
    """

    delivery: ClassVar[Delivery]
    from_callers: ClassVar[bool] = False
    begins_work: ClassVar[bool] = False

    @abstractmethod
    async def handle(self, orchestrator: "Orchestrator", /) -> R_co: ...


class Ask(Protocol):
    """Sends a message to the orchestrator. Raises the handler's `AigeError`, or `Unavailable`."""

    async def __call__(self, message: Message[R_co], /) -> R_co: ...


_ASKED = Delivery(patience_s=ANSWER_SECONDS + 1)
_ASKED_ALONE = _ASKED._replace(batched=False)
_LONG_POLL = Delivery(batched=False, patience_s=WATCH_SECONDS + ANSWER_SECONDS)
_HEARD = Delivery(until_heard=True)


class Taken(NamedTuple):
    """A task that was accepted now or earlier, and where its caller stands within the minute."""

    task: Task
    rate: Rate | None


@dataclass(frozen=True)
class SubmitTask(Message[Taken]):
    """See `Orchestrator.submit`."""

    delivery = _ASKED
    from_callers = True
    begins_work = True
    task: Task
    work: Work
    binding: Binding | None
    until: datetime

    async def handle(self, orchestrator: "Orchestrator", /) -> Taken:
        task = await orchestrator.submit(self.task, self.work, self.binding, self.until)
        return Taken(task, orchestrator.callers.rate(task.caller))


@dataclass(frozen=True)
class CheckCaller(Message[Rate | None]):
    """See `Orchestrator.check_caller`."""

    delivery = _ASKED
    from_callers = True
    begins_work = True
    caller: str
    key: str | None

    async def handle(self, orchestrator: "Orchestrator", /) -> Rate | None:
        return orchestrator.check_caller(self.caller, self.key)


@dataclass(frozen=True)
class FindBoundTask(Message[Task | None]):
    """The task that was accepted with this idempotency key; see `Orchestrator.bound`."""

    delivery = _ASKED
    from_callers = True
    begins_work = True
    binding: Binding

    async def handle(self, orchestrator: "Orchestrator", /) -> Task | None:
        return await orchestrator.bound(self.binding)


@dataclass(frozen=True)
class GetTask(Message[Task | None]):
    """The current task; None if there is no such task. The mirror that asks, if one does, will be told its changes."""

    delivery = _ASKED
    from_callers = True
    task_id: str
    mirror: str = ""

    async def handle(self, orchestrator: "Orchestrator", /) -> Task | None:
        task = await orchestrator.get(self.task_id)
        if task is not None:
            orchestrator.followers.follow(self.mirror, task)
        return task


@dataclass(frozen=True)
class ListTasks(Message[Page]):
    """See `TaskIndex.page`. It travels alone: its reply may be a hundred times as large as others."""

    delivery = _ASKED_ALONE
    from_callers = True
    wanted: Wanted
    after: Place | None
    limit: int

    async def handle(self, orchestrator: "Orchestrator", /) -> Page:
        return await orchestrator.page(self.wanted, self.after, self.limit)


@dataclass(frozen=True)
class CheckReady(Message[None]):
    """See `JournalCheck.passed`. Whoever asks has little patience: a load balancer's probe."""

    delivery = Delivery(patience_s=CHECK_SECONDS + 1)
    from_callers = True

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        await orchestrator.journal_check.passed()


@dataclass(frozen=True)
class GetOverview(Message[Overview]):
    """See `Overviews.latest`. It travels alone, as `ListTasks`."""

    delivery = _ASKED_ALONE
    from_callers = True

    async def handle(self, orchestrator: "Orchestrator", /) -> Overview:
        return await orchestrator.overview()


@dataclass(frozen=True)
class CancelTask(Message[Task]):
    """See `Orchestrator.cancel`. It may wait for the journal, so it travels alone."""

    delivery = _ASKED_ALONE
    from_callers = True
    begins_work = True
    task_id: str

    async def handle(self, orchestrator: "Orchestrator", /) -> Task:
        return await orchestrator.cancel(self.task_id)


@dataclass(frozen=True)
class SendWebhookAgain(Message[Task]):
    """See `Orchestrator.send_webhook_again`. It may wait for the journal, so it travels alone."""

    delivery = _ASKED_ALONE
    from_callers = True
    begins_work = True
    task_id: str

    async def handle(self, orchestrator: "Orchestrator", /) -> Task:
        return await orchestrator.send_webhook_again(self.task_id)


@dataclass(frozen=True)
class EraseAvatar(Message[ErasureReport]):
    """See `Erasure.erase`. It waits for providers, so it travels alone."""

    delivery = Delivery(batched=False, patience_s=60)
    from_callers = True
    begins_work = True
    caller: str
    avatar_id: str

    async def handle(self, orchestrator: "Orchestrator", /) -> ErasureReport:
        return await orchestrator.erase(self.caller, self.avatar_id)


@dataclass(frozen=True)
class WatchTasks(Message[Told]):
    """A long-poll of the mirror of that name; see `Followers.told`."""

    delivery = _LONG_POLL
    from_callers = True
    mirror: str
    heard: int | None

    async def handle(self, orchestrator: "Orchestrator", /) -> Told:
        return await orchestrator.followers.told(self.mirror, self.heard)


class CalledOff(NamedTuple):
    """The attempts at task `id`, up to and including `attempt`, are no longer wanted."""

    id: str
    attempt: int


@dataclass(frozen=True)
class WatchCalledOff(Message[Changes[CalledOff]]):
    """A long-poll for the attempts that have been called off since `since`."""

    delivery = _LONG_POLL
    since: Mark | None

    async def handle(self, orchestrator: "Orchestrator", /) -> Changes[CalledOff]:
        return await orchestrator.called_off.since(self.since, WATCH_SECONDS)


@dataclass(frozen=True)
class ClaimSubmit(Message[str | None]):
    """See `PaidSubmits.claim`. It may wait for an earlier submit's receipt, so it travels alone."""

    delivery = Delivery(batched=False, until_heard=True)
    begins_work = True
    task_id: str
    attempt: int
    step: str
    engine: str
    token: str
    model: str | None = None

    async def handle(self, orchestrator: "Orchestrator", /) -> str | None:
        return await orchestrator.paid_submits.claim(
            self.task_id, self.attempt, self.step, self.engine, self.token, model=self.model
        )


@dataclass(frozen=True)
class RecordReceipt(Message[None]):
    """See `PaidSubmits.record`."""

    delivery = _HEARD
    task_id: str
    step: str
    engine: str
    token: str
    receipt: str

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        await orchestrator.paid_submits.record(self.task_id, self.step, self.engine, self.token, self.receipt)


@dataclass(frozen=True)
class ReleaseClaim(Message[None]):
    """See `PaidSubmits.release`."""

    delivery = _HEARD
    task_id: str
    step: str
    engine: str
    token: str

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        await orchestrator.paid_submits.release(self.task_id, self.step, self.engine, self.token)


@dataclass(frozen=True)
class CorrectSpending(Message[None]):
    """See `PaidSubmits.correct`."""

    delivery = _HEARD
    task_id: str
    token: str
    charge: Charge

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        await orchestrator.paid_submits.correct(self.task_id, self.token, self.charge)


@dataclass(frozen=True)
class PassOver(Message[None]):
    """See `PaidSubmits.pass_over`."""

    delivery = _HEARD
    task_id: str
    attempt: int
    step: str
    engine: str
    reason: str

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        await orchestrator.paid_submits.pass_over(self.task_id, self.attempt, self.step, self.engine, self.reason)


@dataclass(frozen=True)
class ReportProgress(Message[None]):
    """See `PaidSubmits.report`."""

    delivery = Delivery()
    task_id: str
    attempt: int
    progress: str

    async def handle(self, orchestrator: "Orchestrator", /) -> None:
        orchestrator.paid_submits.report(self.task_id, self.attempt, self.progress)


@dataclass(frozen=True)
class IsWanted(Message[bool]):
    """See `PaidSubmits.is_wanted`."""

    delivery = Delivery()
    task_id: str
    attempt: int
    gives_up: bool

    async def handle(self, orchestrator: "Orchestrator", /) -> bool:
        return orchestrator.paid_submits.is_wanted(self.task_id, self.attempt, gives_up=self.gives_up)
