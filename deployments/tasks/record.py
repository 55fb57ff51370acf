"""The task: what is shown of it, and the state machine of its life.

    pending ──► the operation's steps, in order ──► done
        └──────────────┴────────────────────────────► error

A `Task` is immutable: each event gives a new one, or `StaleWrite` where the event may not happen. A status never goes
back, `done` and `error` are final, and of two attempts at one task only the newest may write (fencing).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import WithJsonSchema

from deployments.caller_settings import DEFAULT_CALLER
from deployments.errors import AigeError, ErrorCode, TaskFailed
from deployments.tasks.replaced import replaced
from deployments.tasks.storable import storable
from deployments.tasks.webhook import Webhook


class Status(StrEnum):
    """The statuses that a task can show, in the order in which a task passes through them."""

    PENDING = "pending"
    PROCESSING_AVATAR_MODEL = "processing_avatar_model"
    PROCESSING_BACKGROUND_REMOVAL = "processing_background_removal"
    PROCESSING_OVERLAY = "processing_overlay"
    UPLOADING_IMAGE = "uploading_image"
    DONE = "done"
    ERROR = "error"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL

    def may_become(self, later: "Status") -> bool:
        """Whether a task that shows this status may show `later` next; staying the same is not a change."""
        return not self.is_terminal and _ORDER[later] > _ORDER[self]


MIXED = "mixed"
"""In place of an engine's name, where several are meant."""

_TERMINAL = frozenset({Status.DONE, Status.ERROR})
_ORDER = {status: place for place, status in enumerate(Status)}


class Operation(StrEnum):
    """What a task makes."""

    AVATAR = "avatar"
    BACKGROUND = "background"
    OVERLAY = "overlay"


class StaleWrite(AigeError):
    """A write that comes from an older attempt, goes backward, or comes after the end. The task is unchanged."""


class Moment(NamedTuple):
    """A status and the time from which it was shown."""

    status: Status
    at: datetime


class Charge(NamedTuple):
    """What a provider charges for a step: `units` as it bills `model`; None where it does not say."""

    step: str
    model: str
    units: float | None


class Maker(NamedTuple):
    """Who made a step's pixels: the engine by its name, and its model; None where it has none."""

    step: str
    engine: str
    model: str | None


NEW_CODES = frozenset({ErrorCode.BUDGET_EXCEEDED})
"""Codes that the version before cannot read in a journal: there, they stand beside the failure (`Task.new_code`)."""

_STORED = {"type": "string", "enum": [code for code in ErrorCode if code not in NEW_CODES]}


class Failure(NamedTuple):
    """Why a task ended in `error`: the code, and what its caller can do about it."""

    code: Annotated[ErrorCode, WithJsonSchema(_STORED)]
    message: str

    @classmethod
    def of(cls, error: TaskFailed) -> Self:
        return cls(error.code, storable(str(error)))


@dataclass(frozen=True)  # no slots: it is sent often, and with them, pickle takes half as long again
class Task:
    """One task as its caller may see it. Times are aware and in UTC.

    `progress` is what the provider says of the running step: it comes and goes, and alone of all may get lost.
    `caller` is the name of the API key that it was submitted with; nobody else may know of it. `webhook` is what has
    become of telling the task's end; None where nobody wants to be told. `amounts` are what each of `charges` costs in
    money; None, or nothing at all, where no price is set. `failure` is stored; read `error`.
    `traceparent` names the span of the request that started it, where that is traced (`deployments.spans`).
    """

    id: str
    avatar_id: str
    operation: Operation
    read_url: str
    engine: str
    timeline: tuple[Moment, ...]
    attempts: int = 0
    notes: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    made_by: tuple[Maker, ...] = ()
    progress: str | None = None
    failure: Failure | None = None
    caller: str = DEFAULT_CALLER
    webhook: Webhook | None = None
    amounts: tuple[Decimal | None, ...] = ()
    new_code: ErrorCode | None = None
    traceparent: str | None = None

    @classmethod
    def accepted(  # noqa: PLR0913 - the facts of a new task
        cls,
        *,
        task_id: str,
        avatar_id: str,
        operation: Operation,
        read_url: str,
        engine: str,
        at: datetime,
        caller: str = DEFAULT_CALLER,
    ) -> Self:
        """A new task, `pending` since `at`."""
        return cls(task_id, avatar_id, operation, read_url, engine, (Moment(Status.PENDING, at),), caller=caller)

    @property
    def status(self) -> Status:
        return self.timeline[-1].status

    @property
    def shown_engine(self) -> str:
        """The engine that was set when the task was accepted; of an ended task, the one that made all pixels."""
        names = dict.fromkeys(maker.engine for maker in self.made_by)
        return one_name(names) if self.is_ended and names else self.engine

    @property
    def is_ended(self) -> bool:
        return self.status.is_terminal

    @property
    def error(self) -> Failure | None:
        """Why it ended in `error`; None if it did not."""
        if self.failure is None or self.new_code is None:
            return self.failure
        return self.failure._replace(code=self.new_code)

    def attempted(self) -> Self:
        """One more attempt begins; from now on the older ones are stale."""
        if self.is_ended:
            raise StaleWrite(f"the task has already ended as {self.status}")
        return replaced(self, attempts=self.attempts + 1)

    def advanced(self, attempt: int, status: Status, at: datetime) -> Self:
        """The attempt begins the step that shows `status`; a repeated attempt may begin one that was shown before.

        Raises:
            StaleWrite: the attempt is not the newest, the task has ended, or `status` is a final one.
        """
        self.check_attempt(attempt)
        if status.is_terminal:
            raise StaleWrite("a step never shows a final status: finished() and failed() do")
        return self._shown(status, at) if self.status.may_become(status) else self

    def charged(
        self,
        charges: tuple[Charge, ...],
        made_by: tuple[Maker, ...] = (),
        amounts: tuple[Decimal | None, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Self:
        """With what its steps have cost so far, who has done them, and what they note."""
        return replaced(self, charges=charges, made_by=made_by, amounts=amounts, notes=notes)

    def reporting(self, attempt: int, progress: str) -> Self:
        """The provider says where the running step stands."""
        self.check_attempt(attempt)
        return replaced(self, progress=storable(progress))

    def finished(self, attempt: int, at: datetime) -> Self:
        """The attempt's upload has been acknowledged: `done`."""
        self.check_attempt(attempt)
        return self._shown(Status.DONE, at)

    def failed(self, failure: Failure, at: datetime) -> Self:
        """The task ends in `error`, whichever attempt is running."""
        if self.is_ended:
            raise StaleWrite(f"the task has already ended as {self.status}")
        is_new = failure.code in NEW_CODES
        stored = failure._replace(code=ErrorCode.ENGINE_ERROR) if is_new else failure
        return replaced(self._shown(Status.ERROR, at), failure=stored, new_code=failure.code if is_new else None)

    def check_attempt(self, attempt: int) -> None:
        """Lets the newest attempt of an unfinished task act.

        Raises:
            StaleWrite: any other.
        """
        if attempt != self.attempts:
            raise StaleWrite(f"attempt {attempt} writes while attempt {self.attempts} runs")
        if self.is_ended:
            raise StaleWrite(f"the task has already ended as {self.status}")

    def _shown(self, status: Status, at: datetime) -> Self:
        not_before = self.timeline[-1].at  # a clock that was set back must not turn the timeline around
        return replaced(self, timeline=(*self.timeline, Moment(status, max(at, not_before))), progress=None)


def one_name(engines: Iterable[str]) -> str:
    """The one name among these, or `mixed` where there are several."""
    names = set(engines)
    return names.pop() if len(names) == 1 else MIXED


def now() -> datetime:
    """The wall clock, as tasks keep it."""
    return datetime.now(UTC)
