"""All that is known of one task besides its work: its record, its idempotency key, and the paid calls of its steps.

Like `Task`, an `Entry` is immutable, and an event that may not happen raises `StaleWrite`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from deployments.tasks.record import StaleWrite, Task


class Binding(NamedTuple):
    """An idempotency key (scoped to route and caller) and a digest of the request that used it."""

    key: str
    fingerprint: str


class PaidSubmit(NamedTuple):
    """A submit that a step may have sent; `receipt` is the provider's request id, once it is known.

    `token` tells one submit from another, so that a claim that is merely repeated is known for what it is.
    """

    token: str
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`paid` holds at most one submit for each step, by its id."""

    task: Task
    binding: Binding | None = None
    paid: Mapping[str, PaidSubmit] = field(default_factory=dict)

    def with_task(self, task: Task) -> Self:
        """The entry with a newer record; with the end of a task, its paid calls are settled."""
        return replace(self, task=task, paid={} if task.is_ended else self.paid)

    def claimed(self, attempt: int, step: str, token: str, instead_of: PaidSubmit | None = None) -> Self:
        """The step is about to submit. Whoever claims later finds this, and does not submit again.

        Raises:
            StaleWrite: the attempt may not act any more, or another submit than `instead_of` stands there.
        """
        self.task.admit(attempt)
        if self.paid.get(step) not in {None, instead_of, PaidSubmit(token)}:
            raise StaleWrite("another submit has been claimed meanwhile")
        return replace(self, paid={**self.paid, step: PaidSubmit(token)})

    def receipted(self, step: str, token: str, receipt: str) -> Self:
        """The provider has answered with `receipt`. Taken from a stale attempt too, if none stands there yet."""
        known = self.paid.get(step)
        if self.task.is_ended or known is None or known.receipt is not None:
            raise StaleWrite("the task has ended, or this submit is settled")
        return replace(self, paid={**self.paid, step: PaidSubmit(token, receipt)})

    def released(self, step: str, token: str) -> Self:
        """The submit certainly did not reach the provider: the step may be claimed again."""
        if self.paid.get(step) != PaidSubmit(token):
            raise StaleWrite("this submit is settled, or is another's")
        return replace(self, paid={name: submit for name, submit in self.paid.items() if name != step})
