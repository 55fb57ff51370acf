"""Paid submits: a provider is asked at most once for each step of a task, whatever dies meanwhile.

Claims and receipts are kept by step and engine. Of all engines, one at most may charge for a step: the next one may be
asked only once it is on record that the one before does not.

Before a step submits, it claims the submit; once it has the provider's request id, it records that as the receipt.
Whoever claims after it finds the receipt, and waits for that request instead of sending another. A claim without a
receipt means that a submit may have been sent. Its outcome is unknown; by default AIGE does not submit again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from deployments.errors import EngineOutcomeUnknown, NotFound
from deployments.settings import Settings
from deployments.tasks.entry import PaidSubmit
from deployments.tasks.ledger import Change, Ledger
from deployments.tasks.record import StaleWrite, now


class PaidSubmits:
    """The orchestrator's side of `deployments.engines.base.PaidCall`. Every call may be repeated."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Callable[[], datetime] = now) -> None:
        self._ledger = ledger
        self._clock = clock
        self._patience_s = settings.deadlines.unknown_submit_s
        self._submits_again = settings.on_unknown_submit == "retry"

    async def claim(self, task_id: str, attempt: int, step: str, engine: str, token: str) -> str | None:
        """The receipt of an earlier submit; or None: the caller, and nobody else, may submit now.

        Raises:
            EngineOutcomeUnknown: an earlier submit may have been sent, and its receipt did not come.
            NotFound, StaleWrite: the attempt may not act any more.
        """
        earlier = await self._settled(task_id, step, engine, token)
        if earlier is not None and not earlier.is_open:
            raise StaleWrite("this engine has been passed over")
        if earlier is not None and earlier.receipt is not None:
            return earlier.receipt
        if earlier is not None and not self._submits_again:
            raise EngineOutcomeUnknown.contact_lost()
        submit = PaidSubmit(token, at=self._clock())
        await self._ledger.change(task_id, lambda entry: entry.claimed(attempt, step, engine, submit, earlier))
        return None

    async def record(self, task_id: str, step: str, engine: str, token: str, receipt: str) -> None:
        """The submit has been answered with `receipt`; too late for a task that has ended."""
        await self._settle(task_id, lambda entry: entry.receipted(step, engine, token, receipt))

    async def release(self, task_id: str, step: str, engine: str, token: str) -> None:
        """The submit was certainly not taken."""
        await self._settle(task_id, lambda entry: entry.released(step, engine, token))

    async def pass_over(self, task_id: str, attempt: int, step: str, engine: str, reason: str) -> None:
        """The engine certainly did not do the work, and does not charge: another one may be asked.

        Raises:
            EngineOutcomeUnknown: an earlier submit to it may have been sent.
            NotFound, StaleWrite: the attempt may not act any more.
        """
        await self._ledger.change(task_id, lambda entry: entry.passed_over(attempt, step, engine, reason))

    def report(self, task_id: str, attempt: int, progress: str) -> None:
        """The provider says where the running step stands."""
        with suppress(StaleWrite):
            self._ledger.remark(task_id, lambda entry: entry.with_task(entry.task.reporting(attempt, progress)))

    def is_wanted(self, task_id: str, attempt: int, *, gives_up: bool) -> bool:
        """Whether anybody waits for what was submitted: the task has not ended, nor does it by this attempt's end."""
        try:
            task = self._ledger.unfinished(task_id).entry.task
        except NotFound:
            return False
        return not task.is_ended and not (gives_up and task.attempts == attempt)

    async def _settle(self, task_id: str, change: Change) -> None:
        with suppress(NotFound, StaleWrite):
            await self._ledger.change(task_id, change)

    async def _settled(self, task_id: str, step: str, engine: str, token: str) -> PaidSubmit | None:
        """The earlier submit, after waiting a while for its receipt if it has none; None if there was none."""
        unfinished = self._ledger.unfinished(task_id)

        def earlier() -> PaidSubmit | None:
            submit = unfinished.entry.submit_of(step, engine)
            is_own = submit is not None and submit.token == token and submit.receipt is None
            return None if is_own else submit

        def is_settled() -> bool:
            submit = earlier()
            is_open = submit is not None and submit.receipt is None and submit.is_open
            return not is_open or unfinished.entry.task.is_ended

        async with unfinished.changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    await unfinished.changed.wait_for(is_settled)
            return earlier()
