"""What the service does for all of its callers: what the operator's page shows.

It is made of what is in memory anyway, so it adds no cost to a task. Only what tasks were
billed is added up as they end.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from deployments.tasks.record import Status, Task, now
from deployments.tasks.spending import DAY

ENDS = 100
"""Ended tasks in an overview."""

MAKE_SECONDS = 1
"""Seconds between two overviews, at least, however many ask."""


@dataclass(frozen=True)
class Overview:
    """`in_flight` counts the tasks that have not ended, by caller and status; `ended` has the newest ends first.

    `webhooks_waiting` counts the webhooks of ended tasks that have yet to be delivered or given up. `billed` is what
    tasks that have ended within 24 hours were billed, in money.
    """

    in_flight: Mapping[str, Mapping[Status, int]]
    ended: tuple[Task, ...]
    webhooks_waiting: int = 0
    billed: Mapping["Payer", Decimal] = field(default_factory=dict)


class Payer(NamedTuple):
    """A caller, and a model that was paid for its tasks."""

    caller: str
    model: str


class DayOfBills:
    """What tasks that have ended within 24 hours were billed: added up as they end, and again after a restart."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._of_tasks: dict[str, tuple[datetime, list[tuple[Payer, Decimal]]]] = {}  # by id, the oldest end first
        self._sums: dict[Payer, Decimal] = {}

    def note(self, task: Task) -> None:
        """Called at each change of a task. It counts once, at the task's end, if models with a price worked on it."""
        if not task.amounts or not task.is_ended or task.id in self._of_tasks:
            return
        ended_at = task.timeline[-1].at
        if ended_at <= self._clock() - DAY:  # an older task, which changes when its webhook is sent again
            return
        charges = zip(task.charges, task.amounts, strict=False)
        bills = [(Payer(task.caller, charge.model), amount) for charge, amount in charges if amount]
        self._of_tasks[task.id] = ended_at, bills
        for payer, amount in bills:
            self._sums[payer] = self._sums.get(payer, Decimal()) + amount
        self._drop_past()

    def recall(self, newest_ends: Iterable[Task]) -> None:
        """Counts anew, from all tasks that have ended, the newest end first."""
        self._of_tasks.clear()
        self._sums.clear()
        for task in reversed(list(newest_ends)):
            self.note(task)

    def sums(self) -> dict[Payer, Decimal]:
        """The sums by payer, without those that are zero."""
        self._drop_past()
        return dict(self._sums)

    def _drop_past(self) -> None:
        past = self._clock() - DAY
        while self._of_tasks:
            task_id, (ended_at, bills) = next(iter(self._of_tasks.items()))
            if ended_at > past:
                return
            del self._of_tasks[task_id]
            for payer, amount in bills:
                self._sums[payer] -= amount
                if not self._sums[payer]:
                    del self._sums[payer]


class Overviews:
    """Makes overviews.

    `in_flight` gives all tasks that have not ended, `newest_ends(n)` the last n that have. `webhooks` are those that
    wait, `bills` those of the last 24 hours. Not thread-safe: use it on one event loop.
    """

    def __init__(
        self,
        in_flight: Callable[[], Iterable[Task]],
        newest_ends: Callable[[int], Iterable[Task]],
        webhooks: Sized = (),
        bills: DayOfBills | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._newest_ends = newest_ends
        self._webhooks = webhooks
        self._bills = bills or DayOfBills()
        self._monotonic = monotonic
        self._made: tuple[float, Overview] | None = None

    def latest(self) -> Overview:
        """An overview that is at most `MAKE_SECONDS` old."""
        now = self._monotonic()
        if self._made is None or now - self._made[0] >= MAKE_SECONDS:
            self._made = now, self._make()
        return self._made[1]

    def _make(self) -> Overview:
        in_flight: dict[str, Counter[Status]] = {}
        for task in self._in_flight():
            in_flight.setdefault(task.caller, Counter())[task.status] += 1
        return Overview(in_flight, tuple(self._newest_ends(ENDS)), len(self._webhooks), self._bills.sums())
