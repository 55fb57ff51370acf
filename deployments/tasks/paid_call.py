"""The stage's side of a paid submit: claim, send, record, in one piece that no cancellation tears."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from deployments.errors import Cancelled, EngineOutcomeUnknown, TaskFailed
from deployments.tasks.entry import Submits
from deployments.tasks.messages import (
    Ask,
    ClaimSubmit,
    CorrectSpending,
    IsWanted,
    PassOver,
    RecordReceipt,
    ReleaseClaim,
    ReportProgress,
)
from deployments.tasks.receipts import named, own_part
from deployments.tasks.record import Charge, now
from deployments.tasks.work import StepRequest

logger = logging.getLogger(__name__)

_KEYS = UUID("6f0d3a5e-6c51-4a8e-9a0e-2a7b6b1f6d4c")
"""Of the keys of paid calls (RFC 9562, 5.5); never changes."""


def never() -> bool:
    return False


class ClaimedCalls:
    """The `PaidCalls` of one attempt at one step; `gives_up` says whether that attempt is out of time."""

    def __init__(self, ask: Ask, request: StepRequest, gives_up: Callable[[], bool] = never) -> None:
        self._ask = ask
        self._request = request
        self._gives_up = gives_up
        self.known: Submits = request.paid

    def of(self, engine: str) -> "ClaimedCall":
        """The call to this engine, as the settings name it."""
        return ClaimedCall(self._ask, self._request, engine, self._gives_up)

    async def pass_over(self, engine: str, reason: str) -> None:
        """See `PaidCalls`."""
        await self._ask(PassOver(self._request.task_id, self._request.attempt, self._request.step, engine, reason))


class ClaimedCall:
    """The `PaidCall` of one attempt at one step, to one engine."""

    def __init__(self, ask: Ask, request: StepRequest, engine: str, gives_up: Callable[[], bool] = never) -> None:
        self._ask = ask
        self._request = request
        self._engine = engine
        self._gives_up = gives_up
        self._token = uuid4().hex
        self._called_off = False
        self._reporting: set[asyncio.Task[None]] = set()
        known = request.paid.get(engine)
        self._sent_with = known.token if known else None  # the token of the submit that was sent
        self.receipt = own_part(engine, known.receipt) if known and known.receipt else None
        self.claimed_at: datetime | None = known.at if known else None
        self.key = str(uuid5(_KEYS, f"{request.task_id}/{request.step}/{engine}"))

    async def submit(self, send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        """See `PaidCall`."""
        submitting = asyncio.ensure_future(self._claim_and_send(send, model))
        try:
            return await asyncio.shield(submitting)
        except asyncio.CancelledError:
            # The request may be out: its receipt must not be lost. How it ended otherwise, nobody wants to know now.
            self._called_off = True
            while not submitting.done():
                with suppress(asyncio.CancelledError):  # whoever calls it off again
                    await asyncio.wait({submitting})
            raise

    async def found(self, receipt: str) -> None:
        """See `PaidCall`."""
        await self._record(receipt, self._sent_with or self._token)

    async def made_nothing(self, units: float, model: str = "") -> None:
        """See `PaidCall`."""
        if self._sent_with is not None:
            charge = Charge(self._request.step, model, units)
            await self._ask(CorrectSpending(self._request.task_id, self._sent_with, charge))

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

    async def _claim_and_send(self, send: Callable[[], Awaitable[str]], model: str | None) -> str:
        try:
            receipt = await self._ask(self._claim(model))
        except Exception:
            await self._release()  # of a claim that was repeated, the first may stand
            raise
        if receipt is not None:
            return own_part(self._engine, receipt)
        if self._called_off:
            await self._release()
            raise Cancelled("The attempt was called off before the image model was asked.")
        self._sent_with = self._token
        return await self._send_and_record(send)

    def _claim(self, model: str | None) -> ClaimSubmit:
        request = self._request
        return ClaimSubmit(request.task_id, request.attempt, request.step, self._engine, self._token, model)

    async def _send_and_record(self, send: Callable[[], Awaitable[str]]) -> str:
        try:
            self.claimed_at = now()
            receipt = await send()
        except EngineOutcomeUnknown:
            raise
        except TaskFailed:
            await self._release()
            raise
        except Exception as error:
            raise EngineOutcomeUnknown.contact_lost() from error
        await self._record(receipt, self._token)
        return receipt

    async def _record(self, receipt: str, token: str) -> None:
        request = self._request
        full = named(self._engine, receipt)
        await self._ask(RecordReceipt(request.task_id, request.step, self._engine, token, full))
        self.receipt = receipt

    async def _release(self) -> None:
        """Nothing was sent: whoever claims next need not wait for a receipt."""
        await self._ask(ReleaseClaim(self._request.task_id, self._request.step, self._engine, self._token))
