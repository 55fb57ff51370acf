"""Callers: how many tasks each may have in flight and start within a minute, and how much it may spend.

The orchestrator alone decides, so limits hold however many Ingress replicas there are. What a caller has spent survives
a restart (`deployments.tasks.spending`). So do its tasks in flight, and those of the last minute that the journal still
has.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NoReturn, Protocol

from deployments.errors import BudgetUsedUp, QuotaExceeded, Rate
from deployments.settings import Settings
from deployments.tasks.entry import Entry
from deployments.tasks.record import Task, now
from deployments.tasks.spending import DAY, PriceList, Spendings

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
TASK_S = 5
"""After so many seconds, one of the caller's tasks may have ended."""
SHUT_OUT_S = int(DAY.total_seconds())
"""Whoever is shut out may ask again after so many seconds: the operator may have changed that."""


class Watcher(Protocol):
    """Is told what callers do: the service's metrics."""

    def refused(self, caller: str, limit: str) -> None: ...

    def spent(self, caller: str, model: str, amount: Decimal) -> None: ...


class Unwatched:
    """A `Watcher` that ignores all of it."""

    def refused(self, caller: str, limit: str) -> None:
        pass

    def spent(self, caller: str, model: str, amount: Decimal) -> None:
        pass


class Callers:
    """What each caller uses, and whether it may have more. Not thread-safe: it lives on one event loop."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = now, watcher: Watcher | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._watcher = watcher or Unwatched()
        self._in_flight: defaultdict[str, set[str]] = defaultdict(set)  # task ids
        self._started: defaultdict[str, dict[str, datetime]] = defaultdict(dict)  # by task id, the oldest first
        self.spendings = Spendings(PriceList(settings.prices), self._budget_of, clock, on_spent=self._watcher.spent)

    @property
    def need_history(self) -> bool:
        """Whether limits or prices are set: then nothing may begin before all that the journal holds is known."""
        return bool(self._settings.callers or self._settings.prices)

    def recall(self, entries: list[Entry]) -> list[Entry]:
        """What a journal tells of callers; returns the entries that are tasks."""
        tasks = self.spendings.recall(entries)
        for entry in sorted(tasks, key=lambda entry: entry.task.timeline[0].at):
            if self._clock() - entry.task.timeline[0].at < MINUTE:
                self._started[entry.task.caller][entry.task.id] = entry.task.timeline[0].at
        return tasks

    def in_flight(self) -> dict[str, int]:
        """How many tasks of each caller have not ended."""
        return {caller: len(tasks) for caller, tasks in self._in_flight.items()}

    def spent(self) -> dict[str, Decimal]:
        """What each caller with a budget has spent within 24 hours, reservations included."""
        return {
            caller: self.spendings.spent(caller)
            for caller in self.spendings.callers
            if self._budget_of(caller) is not None
        }

    def rate(self, caller: str) -> Rate | None:
        """Where the caller stands within the minute; None where it has no such limit."""
        quota = self._settings.limits_of(caller).tasks_per_minute
        if quota is None:
            return None
        started = self._within_minute(caller)
        oldest = next(iter(started.values()), self._clock())
        return Rate(quota, max(0, quota - len(started)), _seconds(MINUTE - (self._clock() - oldest)))

    def check(self, caller: str) -> Rate | None:
        """Returns `rate` if the caller may start another task.

        Raises:
            QuotaExceeded, BudgetUsedUp: it may not.
        """
        limits, rate = self._settings.limits_of(caller), self.rate(caller)
        if limits.are_none:
            return None
        if limits.spend_per_day is not None and self.spendings.spent(caller) >= limits.spend_per_day:
            self._refuse_for_money(caller, limits.spend_per_day, rate)
        if rate is not None and rate.left == 0:
            self._refuse_for_haste(caller, rate)
        most = limits.tasks_in_flight
        if most is not None and len(self._in_flight[caller]) >= most:
            self._refuse_for_crowd(caller, most, rate)
        return rate

    def start(self, task: Task) -> None:
        """The task counts from now on.

        Raises:
            QuotaExceeded, BudgetUsedUp: its caller may start no more.
        """
        self.check(task.caller)
        self._in_flight[task.caller].add(task.id)
        if self._settings.limits_of(task.caller).tasks_per_minute is not None:
            self._started[task.caller][task.id] = self._clock()

    def undo(self, task: Task) -> None:
        """The task could not be started after all."""
        self._in_flight[task.caller].discard(task.id)
        self._started[task.caller].pop(task.id, None)

    def note(self, task: Task) -> None:
        """Called at each change of a task."""
        if task.is_ended:
            self._in_flight[task.caller].discard(task.id)
        else:
            self._in_flight[task.caller].add(task.id)

    def _budget_of(self, caller: str) -> Decimal | None:
        return self._settings.limits_of(caller).spend_per_day

    def _within_minute(self, caller: str) -> dict[str, datetime]:
        """What the caller has started within a minute. After the clock was set back, what lies ahead does not count."""
        started, at = self._started[caller], self._clock()
        while started:
            task_id, oldest = next(iter(started.items()))
            if timedelta() <= at - oldest < MINUTE:
                break
            del started[task_id]
        return started

    def _refuse_for_money(self, caller: str, budget: Decimal, rate: Rate | None) -> NoReturn:
        self._watcher.refused(caller, "spend_per_day")
        if not budget:
            raise BudgetUsedUp(_SHUT_OUT, SHUT_OUT_S, rate)
        raise BudgetUsedUp(
            f"Your budget of {budget} for 24 hours is used up: try again later, or ask the service's operator for a "
            "larger one.",
            _seconds(timedelta(seconds=self.spendings.seconds_to_more(caller))),
            rate,
        )

    def _refuse_for_haste(self, caller: str, rate: Rate) -> NoReturn:
        self._watcher.refused(caller, "tasks_per_minute")
        if not rate.quota:
            raise QuotaExceeded(_SHUT_OUT, SHUT_OUT_S, rate)
        raise QuotaExceeded(
            f"You may start {rate.quota} tasks a minute, and have done so: try again in {rate.seconds} s.",
            rate.seconds,
            rate,
        )

    def _refuse_for_crowd(self, caller: str, most: int, rate: Rate | None) -> NoReturn:
        self._watcher.refused(caller, "tasks_in_flight")
        if not most:
            raise QuotaExceeded(_SHUT_OUT, SHUT_OUT_S, rate)
        raise QuotaExceeded(
            f"You may have {most} tasks in flight, and have so many: try again when one of them has ended.",
            TASK_S,
            rate,
        )


_SHUT_OUT = "This service takes no tasks of yours: ask its operator."


def _seconds(time: timedelta) -> int:
    """Whole seconds, at least one: after so many, the time is over."""
    return max(1, math.ceil(time.total_seconds()))
