"""Paid submits: each step of a task is submitted to a provider at most once, whichever process dies.

1. Before a step submits, it claims the submit.
2. When the provider answers, the step records the request id as the receipt.
3. A later attempt that claims gets the receipt, and waits for that request instead of sending another.

A claim without a receipt means that a submit may have been sent. Its outcome is unknown; by default AIGE does not
submit again.

Claims and receipts are kept by step and engine. At most one engine may charge for a step: the next one may be asked
only after the journal says that the one before was passed over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from deployments.errors import EngineOutcomeUnknown, NotFound
from deployments.settings import Settings
from deployments.tasks.entry import Entry, PaidSubmit
from deployments.tasks.ledger import Change, Ledger
from deployments.tasks.record import Charge, StaleWrite, now
from deployments.tasks.spending import Spendings


class PaidSubmits:
    """The orchestrator's side of `deployments.engines.base.PaidCall`. Every call may be repeated.

    `amend` changes the entry of a task that has ended.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        spendings: Spendings,
        clock: Callable[[], datetime] = now,
        *,
        amend: Callable[[str, Change], Awaitable[object]],
    ) -> None:
        self._ledger = ledger
        self._amend = amend
        self._spendings = spendings
        self._clock = clock
        self._patience_s = settings.deadlines.unknown_submit_s
        self._submits_again = settings.on_unknown_submit == "retry"

    async def claim(  # noqa: PLR0913 - who asks, and for what
        self, task_id: str, attempt: int, step: str, engine: str, token: str, *, model: str | None = None
    ) -> str | None:
        """The receipt of an earlier submit, or None: then this caller alone may submit now, and its price is reserved.

        Raises:
            BudgetExceeded: too little is left of the caller's budget for a call of this model.
            EngineOutcomeUnknown: an earlier submit may have been sent, and its receipt did not come.
            NotFound, StaleWrite: the task has ended, the attempt is no longer the newest, or an engine was passed over.
        """
        earlier = await self._settled(task_id, step, engine, token)
        if earlier is not None and not earlier.is_open:
            raise StaleWrite("this engine has been passed over")
        if earlier is not None and earlier.receipt is not None:
            return earlier.receipt
        if earlier is not None and not self._submits_again:
            raise EngineOutcomeUnknown.contact_lost()
        submit = PaidSubmit(token, at=self._clock())

        def claimed(entry: Entry) -> Entry:
            entry = entry.claimed(attempt, step, engine, submit, earlier)
            return self._spendings.reserved(entry, submit, model)

        await self._ledger.change(task_id, claimed)
        return None

    async def record(self, task_id: str, step: str, engine: str, token: str, receipt: str) -> None:
        """Records the provider's answer to the submit. In any case, the task's erasure will have to know of it."""
        try:
            await self._ledger.change(task_id, lambda entry: entry.receipted(step, engine, token, receipt))
        except StaleWrite:
            with suppress(NotFound):
                await self._ledger.change(task_id, lambda entry: entry.sent(engine, receipt))
        except NotFound:
            await self._ledger.loaded()  # until then, a task that has ended may be unknown
            await self._amend(task_id, lambda entry: entry.sent(engine, receipt))

    async def release(self, task_id: str, step: str, engine: str, token: str) -> None:
        """Removes the claim: the provider certainly did not take the submit."""
        try:
            entry = await self._ledger.change(task_id, lambda entry: entry.released(step, engine, token))
        except NotFound:
            await self._correct_late(task_id, token, Charge(step, "", 0))
        except StaleWrite:
            pass
        else:
            self._spendings.note(entry)

    async def pass_over(self, task_id: str, attempt: int, step: str, engine: str, reason: str) -> None:
        """Records that the engine certainly did not do the work and does not charge: another one may be asked.

        Raises:
            EngineOutcomeUnknown: an earlier submit to it may have been sent.
            NotFound, StaleWrite: the attempt may not act any more.
        """
        entry = await self._ledger.change(task_id, lambda entry: entry.passed_over(attempt, step, engine, reason))
        self._spendings.note(entry)

    async def correct(self, task_id: str, token: str, charge: Charge) -> None:
        """Records what the provider billed for a submit that made nothing, also when the task has ended since."""
        try:
            entry = await self._ledger.change(task_id, lambda entry: self._spendings.corrected(entry, token, charge))
        except NotFound:
            await self._correct_late(task_id, token, charge)
        else:
            self._spendings.note(entry)

    def report(self, task_id: str, attempt: int, progress: str) -> None:
        """Shows the provider's report on the running step."""
        with suppress(StaleWrite):
            self._ledger.remark(task_id, lambda entry: entry.with_task(entry.task.reporting(attempt, progress)))

    def is_wanted(self, task_id: str, attempt: int, *, gives_up: bool) -> bool:
        """Whether the result is still wanted: the task has not ended, nor does it end as this attempt gives up."""
        try:
            task = self._ledger.unfinished(task_id).entry.task
        except NotFound:
            return False
        return not task.is_ended and not (gives_up and task.attempts == attempt)

    async def until_answered(self, task_id: str) -> None:
        """Waits, up to `unknown_submit_s`, for the receipts of submits that may be on their way."""
        with suppress(NotFound, TimeoutError):
            unfinished = self._ledger.unfinished(task_id)
            async with asyncio.timeout(self._patience_s), unfinished.changed:
                await unfinished.changed.wait_for(lambda: not unfinished.entry.awaits_receipts)

    async def _correct_late(self, task_id: str, token: str, charge: Charge) -> None:
        """What a submit of a task that has ended was billed."""
        if (spending := self._spendings.late(task_id, token, charge)) is not None:
            await self._ledger.keep(spending)
            self._spendings.note(spending)

    async def _settled(self, task_id: str, step: str, engine: str, token: str) -> PaidSubmit | None:
        """The earlier submit, or None. If it has no receipt yet, this waits up to `unknown_submit_s` for one."""
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
