"""What TaskStatus and the Ingress count and measure; see `deployments.runtime.metrics`."""

import asyncio
import math
from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal
from typing import NoReturn

from deployments.runtime import metrics
from deployments.spans import Tracer
from deployments.tasks.lease import Lease
from deployments.tasks.mirror import Mirror
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task, now
from deployments.tasks.traced import trace_end, trace_loss
from deployments.tasks.webhook import Webhook

MEASURE_SECONDS = 5
AGES = (60, 300, 900)
"""Seconds since acceptance; tasks that are older are counted."""


class TaskMeasures:
    """TaskStatus's measures, and its spans where tasks are traced."""

    def __init__(self, tracer: Tracer | None = None, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._tracer = tracer
        self._tasks = metrics.TASKS.opened()
        self._task = metrics.TASK.opened()
        self._in_flight = metrics.TASKS_IN_FLIGHT.opened()
        self._older = metrics.TASKS_OLDER.opened()
        self._oldest = metrics.OLDEST_TASK.opened()
        self._lost = metrics.ATTEMPTS_LOST.opened()
        self._journal = metrics.JOURNAL.opened()
        self._journal_failures = metrics.JOURNAL_FAILURES.opened()
        self._journal_lease = metrics.JOURNAL_LEASE.opened()
        self._journal_epoch = metrics.JOURNAL_EPOCH.opened()
        self._webhook_tries = metrics.WEBHOOK_TRIES.opened()
        self._webhooks_waiting = metrics.WEBHOOKS_WAITING.opened()
        self._caller_tasks = metrics.CALLER_TASKS.opened()
        self._caller_refusals = metrics.CALLER_REFUSALS.opened()
        self._spent = metrics.SPENT.opened()
        self._caller_spent = metrics.CALLER_SPENT.opened()

    def note(self, task: Task) -> None:
        """Called at each change of a task."""
        if task.is_ended:
            outcome = task.error.code if task.error else task.status
            self._tasks.add(operation=task.operation, outcome=outcome, caller=task.caller)
            seconds = (task.timeline[-1].at - task.timeline[0].at).total_seconds()
            self._task.observe(seconds, operation=task.operation, outcome=outcome)
            if self._tracer:
                trace_end(self._tracer, task)

    def lost(self, task: Task) -> None:
        """Called when an attempt at a task was lost."""
        self._lost.add(operation=task.operation, status=task.status)
        if self._tracer:
            trace_loss(self._tracer, task)

    def journal(self, action: str, seconds: float, *, failed: bool) -> None:
        """Called after each read and write of the journal."""
        self._journal.observe(seconds, action=action)
        if failed:
            self._journal_failures.add(action=action)

    def webhook(self, webhook: Webhook) -> None:
        """Called after each try of a webhook."""
        self._webhook_tries.add(outcome="retried" if webhook.is_waiting else webhook.state)

    def refused(self, caller: str, limit: str) -> None:
        """Called when a caller has reached a limit of its own."""
        self._caller_refusals.add(caller=caller, limit=limit)

    def spent(self, caller: str, model: str, amount: Decimal) -> None:
        """Called at each charge."""
        self._spent.add(float(amount), caller=caller, model=model)

    async def follow(self, orchestrator: Orchestrator, lease: Lease) -> NoReturn:
        """Measures what is in flight every few seconds, for ever; each change would cost more if it did."""
        while True:
            self._measure_lease(lease)
            for status in Status:
                if not status.is_terminal:
                    self._in_flight.set(orchestrator.tasks.by_status[status], status=status)
            ages = ages_of(orchestrator.in_flight, self._clock())
            self._oldest.set(max(ages, default=0))
            for bound in AGES:
                self._older.set(sum(age > bound for age in ages), seconds=str(bound))
            self._webhooks_waiting.set(len(orchestrator.webhooks))
            for caller, tasks in orchestrator.callers.in_flight().items():
                self._caller_tasks.set(tasks, caller=caller)
            for caller, money in orchestrator.callers.spent().items():
                self._caller_spent.set(float(money), caller=caller)
            await asyncio.sleep(MEASURE_SECONDS)

    def _measure_lease(self, lease: Lease) -> None:
        """Nothing where the journal is not leased; no epoch while this stands by."""
        if (left_s := lease.left_s) < math.inf:
            self._journal_lease.set(max(0.0, left_s))
        if lease.epoch:
            self._journal_epoch.set(lease.epoch)


async def follow_mirror(mirror: Mirror) -> NoReturn:
    """Measures the mirror's lag every few seconds, for ever."""
    lag = metrics.MIRROR_LAG.opened()
    while True:
        lag.set(mirror.lag_s)
        await asyncio.sleep(MEASURE_SECONDS)


def ages_of(tasks: Collection[Task], at: datetime) -> list[float]:
    """Seconds since each was accepted."""
    return [max(0.0, (at - task.timeline[0].at).total_seconds()) for task in tasks]
