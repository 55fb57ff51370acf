"""Paid submits: a provider is asked at most once for each step of a task, whatever dies meanwhile.

Before a step submits, it claims the submit; once it has the provider's request id, it records that as the receipt.
Whoever claims after it finds the receipt, and waits for that request instead of sending another. A claim without a
receipt means that a submit may have been sent. Its outcome is unknown; by default AIGE does not submit again.
"""

import asyncio
from contextlib import suppress

from deployments.errors import EngineOutcomeUnknown, NotFound
from deployments.settings import Settings
from deployments.tasks.entry import PaidSubmit
from deployments.tasks.ledger import Ledger
from deployments.tasks.record import StaleWrite


class PaidSubmits:
    """The orchestrator's side of `deployments.engines.base.PaidCall`. Every call may be repeated."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._patience_s = settings.deadlines.unknown_submit_s
        self._submits_again = settings.on_unknown_submit == "retry"

    async def claim(self, task_id: str, attempt: int, step: str, token: str) -> str | None:
        """The receipt of an earlier submit; or None: the caller, and nobody else, may submit now.

        Raises:
            EngineOutcomeUnknown: an earlier submit may have been sent, and its receipt did not come.
            NotFound, StaleWrite: the attempt may not act any more.
        """
        earlier = await self._settled(task_id, step, token)
        if earlier is not None and earlier.receipt is not None:
            return earlier.receipt
        if earlier is not None and not self._submits_again:
            raise EngineOutcomeUnknown.contact_lost()
        await self._ledger.change(task_id, lambda entry: entry.claimed(attempt, step, token, earlier))
        return None

    async def record(self, task_id: str, step: str, token: str, receipt: str) -> None:
        """The submit has been answered with `receipt`; too late for a task that has ended."""
        await self._settle(task_id, step, token, receipt)

    async def release(self, task_id: str, step: str, token: str) -> None:
        """The submit was certainly not taken."""
        await self._settle(task_id, step, token, None)

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

    async def _settle(self, task_id: str, step: str, token: str, receipt: str | None) -> None:
        try:
            await self._ledger.change(
                task_id,
                lambda entry: entry.released(step, token) if receipt is None else entry.receipted(step, token, receipt),
            )
        except (NotFound, StaleWrite):
            return

    async def _settled(self, task_id: str, step: str, token: str) -> PaidSubmit | None:
        """The earlier submit, after waiting a while for its receipt if it has none; None if there was none."""
        unfinished = self._ledger.unfinished(task_id)

        def earlier() -> PaidSubmit | None:
            submit = unfinished.entry.paid.get(step)
            return None if submit is None or submit == PaidSubmit(token) else submit

        def is_settled() -> bool:
            submit = earlier()
            return submit is None or submit.receipt is not None or unfinished.entry.task.is_ended

        async with unfinished.changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    await unfinished.changed.wait_for(is_settled)
            return earlier()
