"""The stage's side of a paid submit: claim, send, record, in one piece that no cancellation tears."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from deployments.errors import Cancelled, EngineOutcomeUnknown, TaskFailed
from deployments.tasks.messages import Ask, ClaimSubmit, IsWanted, RecordReceipt, ReleaseClaim, ReportProgress
from deployments.tasks.work import StepRequest

logger = logging.getLogger(__name__)


class ClaimedCall:
    """The `PaidCall` of one attempt at one step; `gives_up` says whether that attempt is out of time."""

    def __init__(self, ask: Ask, request: StepRequest, gives_up: Callable[[], bool] = lambda: False) -> None:
        self._ask = ask
        self._request = request
        self._gives_up = gives_up
        self._token = uuid4().hex
        self._called_off = False
        self._reporting: set[asyncio.Task[None]] = set()
        self.receipt = request.receipt

    async def submit(self, send: Callable[[], Awaitable[str]]) -> str:
        """See `PaidCall`."""
        submitting = asyncio.ensure_future(self._claim_and_send(send))
        try:
            return await asyncio.shield(submitting)
        except asyncio.CancelledError:
            # The request may be out: its receipt must not be lost. How it ended otherwise, nobody wants to know now.
            self._called_off = True
            while not submitting.done():
                with suppress(asyncio.CancelledError):  # whoever calls it off again
                    await asyncio.wait({submitting})
            raise

    def report(self, progress: str) -> None:
        """See `PaidCall`. Nobody waits for it, and if it gets lost, nothing is."""
        report = ReportProgress(self._request.task_id, self._request.attempt, progress)
        reporting = asyncio.ensure_future(self._ask(report))
        self._reporting.add(reporting)
        reporting.add_done_callback(self._reported)

    async def is_wanted(self) -> bool:
        """See `PaidCall`."""
        return await self._ask(IsWanted(self._request.task_id, self._request.attempt, self._gives_up()))

    def _reported(self, reporting: asyncio.Task[None]) -> None:
        self._reporting.discard(reporting)
        if not reporting.cancelled() and (error := reporting.exception()):
            logger.debug("A report of progress was lost: %s", error)

    async def _claim_and_send(self, send: Callable[[], Awaitable[str]]) -> str:
        request = self._request
        try:
            receipt = await self._ask(ClaimSubmit(request.task_id, request.attempt, request.step, self._token))
        except Exception:
            await self._release()  # of a claim that was repeated, the first may stand
            raise
        if receipt is not None:
            return receipt
        if self._called_off:
            await self._release()
            raise Cancelled("The attempt was called off before the image model was asked.")
        return await self._send_and_record(send)

    async def _send_and_record(self, send: Callable[[], Awaitable[str]]) -> str:
        try:
            receipt = await send()
        except EngineOutcomeUnknown:
            raise
        except TaskFailed:
            await self._release()
            raise
        except Exception as error:
            raise EngineOutcomeUnknown.contact_lost() from error
        await self._ask(RecordReceipt(self._request.task_id, self._request.step, self._token, receipt))
        return receipt

    async def _release(self) -> None:
        """Nothing was sent: whoever claims next need not wait for a receipt."""
        await self._ask(ReleaseClaim(self._request.task_id, self._request.step, self._token))
