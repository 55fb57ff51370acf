"""All that is known of one task besides its work: its record, its idempotency key, and the paid calls of its steps with
their money.

Like `Task`, an `Entry` is immutable, and an event that may not happen raises `StaleWrite`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self

from deployments.errors import EngineOutcomeUnknown
from deployments.tasks.record import Moment, Operation, StaleWrite, Status, Task
from deployments.tasks.replaced import replaced
from deployments.tasks.storable import storable
from deployments.tasks.traces import NO_TRACES, Traces


class Binding(NamedTuple):
    """An idempotency key (scoped to route and caller) and a digest of the request that used it."""

    key: str
    fingerprint: str


class PaidSubmit(NamedTuple):
    """A submit that a step may have sent to an engine's provider.

    `token` tells one submit from another, so that a claim that is merely repeated is known for what it is. `receipt`
    is `ENGINE:` and the provider's request id, once that is known. `at` is when the submit was claimed. `passed` says
    why the engine did not do the work and does not charge for it; such an engine is not asked again.
    """

    token: str
    receipt: str | None = None
    at: datetime | None = None
    passed: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the engine may charge for it: until it is known not to, no other engine may be asked."""
        return self.passed is None


Submits = Mapping[str, PaidSubmit]
"""A step's submits, by engine as `serve_config.yaml` names it; at most one is open."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What the paid submit with this token costs its caller: reserved when it was claimed, `at`, and replaced by what
    was billed. Until its fate is known, the reservation stands.
    """

    token: str
    at: datetime
    amount: Decimal


ALONE = "spent:"
"""Begins the id of an entry that holds a spending alone; the token follows. See `Entry.alone`."""


@dataclass(frozen=True)
class Entry:
    """`paid` holds the submits of each step, by its id. `webhook_url` is to be told of the task's end; `traces` are for
    the task's erasure; `spent` is what its submits cost, also when it has ended.
    """

    task: Task
    binding: Binding | None = None
    paid: Mapping[str, Submits] = field(default_factory=dict)
    webhook_url: str | None = None
    traces: Traces = NO_TRACES
    spent: tuple[Spending, ...] = ()

    @classmethod
    def alone(cls, caller: str, spending: Spending) -> Self:
        """An entry of its own for a spending: it outlives the task's, and says more than what that says of the token.

        Its record is only there because an entry has one.
        """
        moment = Moment(Status.DONE, spending.at)
        task = Task(f"{ALONE}{spending.token}", "", Operation.AVATAR, "", "", (moment,), caller=caller)
        return cls(task, spent=(spending,))

    @property
    def is_alone(self) -> bool:
        """Whether it holds a spending alone, and no task."""
        return self.task.id.startswith(ALONE)

    def with_task(self, task: Task) -> Self:
        """The entry with a newer record; with the end of a task, its paid calls are settled."""
        return replaced(self, task=task, paid={} if task.is_ended else self.paid)

    def without_webhook(self) -> Self:
        """The entry of a task whose end is told to nobody."""
        return replaced(self, task=replaced(self.task, webhook=None), webhook_url=None)

    def past(self, steps: Collection[str]) -> Self:
        """With these steps durably done, their submits are settled; a receipt may be as large as a picture."""
        if not self.paid.keys() & steps:
            return self
        return replaced(self, paid={step: submits for step, submits in self.paid.items() if step not in steps})

    def spending_of(self, token: str) -> Spending | None:
        """What is known of the money of this submit."""
        return next((spending for spending in self.spent if spending.token == token), None)

    def spending(self, spending: Spending) -> Self:
        """The entry with this spending, instead of what it said of the same submit."""
        return replaced(self, spent=(*self.freed(spending.token).spent, spending))

    def freed(self, token: str) -> Self:
        """The submit costs nothing."""
        if self.spending_of(token) is None:
            return self
        return replaced(self, spent=tuple(spending for spending in self.spent if spending.token != token))

    def submit_of(self, step: str, engine: str) -> PaidSubmit | None:
        """What is known of the step's submit to this engine."""
        return self.paid.get(step, {}).get(engine)

    @property
    def awaits_receipts(self) -> bool:
        """Whether the task runs, and has claimed a submit whose receipt is not there yet."""
        submits = (submit for step in self.paid.values() for submit in step.values())
        return not self.task.is_ended and any(submit.is_open and submit.receipt is None for submit in submits)

    def claimed(
        self, attempt: int, step: str, engine: str, claim: PaidSubmit, instead_of: PaidSubmit | None = None
    ) -> Self:
        """The step is about to submit. Whoever claims later finds this, and does not submit again.

        Raises:
            StaleWrite: the attempt may not act any more, another submit than `instead_of` stands there, or another
                engine has been asked, which may charge.
        """
        self.task.check_attempt(attempt)
        known = self.submit_of(step, engine)
        if known is not None and known != instead_of and not _is_claim(known, claim.token):
            raise StaleWrite("another submit has been claimed meanwhile")
        if any(submit.is_open for name, submit in self.paid.get(step, {}).items() if name != engine):
            raise StaleWrite("another engine has been asked, and may charge for it")
        return self._with(step, engine, claim)

    def receipted(self, step: str, engine: str, token: str, receipt: str) -> Self:
        """The provider has answered with `receipt`. Taken from a stale attempt too, if none stands there yet."""
        known = self.submit_of(step, engine)
        if self.task.is_ended or known is None or known.receipt is not None or not known.is_open:
            raise StaleWrite("the task has ended, or this submit is settled")
        return self._with(step, engine, PaidSubmit(token, receipt, known.at)).sent(engine, receipt)

    def sent(self, engine: str, receipt: str) -> Self:
        """The provider keeps a request of the task's, whatever becomes of it."""
        return replaced(self, traces=self.traces.sent(engine, receipt))

    def released(self, step: str, engine: str, token: str) -> Self:
        """The submit certainly did not reach the provider: it costs nothing, and the step may be claimed again."""
        known = self.submit_of(step, engine)
        if known is None or not _is_claim(known, token):
            if self.spending_of(token) is None or (known is not None and known.token == token):
                raise StaleWrite("this submit is settled, or is another's")
            return self.freed(token)  # another one stands there: only the money of this one goes
        left = {name: submit for name, submit in self.paid[step].items() if name != engine}
        return replaced(self, paid={**self.paid, step: left}).freed(token)

    def passed_over(self, attempt: int, step: str, engine: str, reason: str) -> Self:
        """The engine does not do the step's work, and does not charge for it: `reason` is a clause that says why.

        Raises:
            EngineOutcomeUnknown: a submit to it may have been sent, and its receipt did not come.
            StaleWrite: the attempt may not act any more.
        """
        self.task.check_attempt(attempt)
        known = self.submit_of(step, engine) or PaidSubmit("", passed="")
        if known.is_open and known.receipt is None:
            raise EngineOutcomeUnknown.contact_lost()
        return self._with(step, engine, known._replace(passed=storable(reason))).freed(known.token)

    def _with(self, step: str, engine: str, submit: PaidSubmit) -> Self:
        return replaced(self, paid={**self.paid, step: {**self.paid.get(step, {}), engine: submit}})


def _is_claim(submit: PaidSubmit, token: str) -> bool:
    return submit.token == token and submit.receipt is None and submit.is_open
