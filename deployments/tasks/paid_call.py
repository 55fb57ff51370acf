"""The stage's side of a paid submit: claim, send, record, in one piece that no cancellation tears."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol
from uuid import uuid4

from deployments.errors import Cancelled, EngineOutcomeUnknown, TaskFailed
from deployments.tasks.work import Work

logger = logging.getLogger("ray.serve")


class Claims(Protocol):
    """Where submits are claimed and recorded: `PaidSubmits`, as seen from another process."""

    async def claim(self, task_id: str, attempt: int, stage: str, token: str) -> str | None: ...

    async def record(self, task_id: str, stage: str, token: str, receipt: str) -> None: ...

    async def release(self, task_id: str, stage: str, token: str) -> None: ...

    async def report(self, task_id: str, attempt: int, progress: str) -> None: ...

    async def is_wanted(self, task_id: str, attempt: int, *, gives_up: bool) -> bool: ...


class ClaimedCall:
    """A `PaidCall` for one stage's run on `work`; `gives_up` says whether that run is out of time."""

    def __init__(self, claims: Claims, work: Work, stage: str, gives_up: Callable[[], bool] = lambda: False) -> None:
        self._claims = claims
        self._work = work
        self._stage = stage
        self._gives_up = gives_up
        self._token = uuid4().hex
        self._called_off = False
        self._reporting: set[asyncio.Task[None]] = set()
        self.receipt = work.receipts.get(stage)

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
        reporting = asyncio.ensure_future(self._claims.report(self._work.task_id, self._work.attempt, progress))
        self._reporting.add(reporting)
        reporting.add_done_callback(self._reported)

    async def is_wanted(self) -> bool:
        """See `PaidCall`."""
        return await self._claims.is_wanted(self._work.task_id, self._work.attempt, gives_up=self._gives_up())

    def _reported(self, reporting: asyncio.Task[None]) -> None:
        self._reporting.discard(reporting)
        if not reporting.cancelled() and (error := reporting.exception()):
            logger.debug("A report of progress was lost: %s", error)

    async def _claim_and_send(self, send: Callable[[], Awaitable[str]]) -> str:
        try:
            receipt = await self._claims.claim(self._work.task_id, self._work.attempt, self._stage, self._token)
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
            raise EngineOutcomeUnknown(
                "Contact with the image model was lost while it was being asked, so nobody knows whether it ran; "
                "trying again may be charged a second time."
            ) from error
        await self._claims.record(self._work.task_id, self._stage, self._token, receipt)
        return receipt

    async def _release(self) -> None:
        """Nothing was sent: whoever claims next need not wait for a receipt."""
        await self._claims.release(self._work.task_id, self._stage, self._token)
