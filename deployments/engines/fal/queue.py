"""One paid call to fal's queue: submit once, wait, fetch; cancel what nobody waits for any more.

fal-client repeats up to ten times whatever went wrong, and sends no idempotency key: repeated, a submit whose answer
was lost is paid twice. So the submit is our own single POST, sent by fal-client's own httpx client, which every handle
holds: its key, its hosts and its fallback domain apply. Reading and cancelling, which may be repeated, are fal-client's.
"""

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import httpx
import stamina
from fal_client import AsyncClient, AsyncRequestHandle, Completed, FalClientHTTPError, InProgress, Queued, Status
from fal_client.client import QUEUE_URL_FORMAT
from pydantic import JsonValue

from deployments.engines.base import Cost, PaidCall
from deployments.engines.fal import errors
from deployments.engines.fal.options import FalOptions
from deployments.errors import EngineError, EngineTimeout

logger = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]
Arguments = Callable[[], Awaitable[dict[str, JsonValue]]]

SUBMIT_TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE, PAUSE_GROWTH = 0.5, 3.0, 1.5
"""Between two looks at a request, in seconds: 10 looks in 20 s."""
LONGEST_RETRY_AFTER = 30.0
LOOK_S, CANCEL_S = 30.0, 30.0
_REQUESTS = "/requests/"


class NotTaken(EngineError):
    """fal certainly did not take a submit, and may take it after `retry_after` seconds (0: it does not say)."""

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message, retry_after)
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Order:
    """What to ask of which model. `arguments` makes the inputs ready; `setting` is where the model is chosen."""

    endpoint: str
    setting: str
    arguments: Arguments


@dataclass(slots=True)
class _Ticket:
    """How far a call has come: the receipt, once there is one, and whether its caller has gone."""

    receipt: str | None = None
    abandoned: bool = False


class FalQueue:
    """Calls models. `sleep` passes the time between two looks."""

    def __init__(self, fal: AsyncClient, options: FalOptions, *, sleep: Sleep = asyncio.sleep) -> None:
        self._fal = fal
        self._options = options
        self._sleep = sleep
        self._headers = _headers(options)
        self._cancelling: set[asyncio.Task[None]] = set()

    async def result(self, order: Order, call: PaidCall) -> tuple[JsonValue, Cost]:
        """What the model answers, and what that cost.

        Raises:
            EngineOutcomeUnknown: see `PaidCall.submit`.
            EngineTimeout: it took longer than `deadline_s`.
            TaskFailed: fal, or the model, says why not.
        """
        ticket = _Ticket(call.receipt)
        try:
            async with asyncio.timeout(self._options.deadline_s):
                ticket.receipt = ticket.receipt or await self._submitted(order, call, ticket)
                return await self._awaited(ticket.receipt, order, call)
        except TimeoutError:
            self._abandon(ticket, call, ends_task=True)
            raise EngineTimeout(
                f"The image model was not done within {self._options.deadline_s:g} s: try again later."
            ) from None
        except asyncio.CancelledError:
            self._abandon(ticket, call, ends_task=False)
            raise

    async def _submitted(self, order: Order, call: PaidCall, ticket: _Ticket) -> str:
        arguments = await order.arguments()

        async def send() -> str:
            ticket.receipt = await self._send(order, arguments)
            return ticket.receipt

        # Outside of `submit`, which a cancellation does not interrupt: so none has to wait for a pause.
        async for attempt in stamina.retry_context(
            _pause_before_next, attempts=SUBMIT_TRIES, timeout=None, wait_initial=0.5, wait_max=10.0
        ):
            with attempt:
                receipt = await call.submit(send)
        return receipt

    async def _send(self, order: Order, arguments: dict[str, JsonValue]) -> str:
        """One POST. What it raises beside `TaskFailed` means that fal may have taken it."""
        http = (await self._fal.get_handle(order.endpoint, "")).client
        try:
            response = await http.post(f"{QUEUE_URL_FORMAT}{order.endpoint}", json=arguments, headers=self._headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotTaken("fal.ai cannot be reached: try again later.") from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise NotTaken("fal.ai takes no more requests at the moment: try again later.", _retry_after(response))
        if _is_refusal(response):
            raise errors.failure_of(response, order.endpoint, order.setting)
        response.raise_for_status()
        return f"{order.endpoint}{_REQUESTS}{response.json()['request_id']}"

    async def _awaited(self, receipt: str, order: Order, call: PaidCall) -> tuple[JsonValue, Cost]:
        """The result of a request, which may be an earlier attempt's, under other settings: its receipt tells all."""
        handle = await self._handle(receipt)
        endpoint = receipt.rpartition(_REQUESTS)[0]
        for pause in _pauses():
            await self._sleep(pause)
            answer = await _look(handle, call)
            if answer is not None:
                return _result_in(answer, endpoint, order.setting), Cost(endpoint, _billed_units(answer))
        raise AssertionError("pauses never end")

    async def _handle(self, receipt: str) -> AsyncRequestHandle:
        endpoint, _, request_id = receipt.rpartition(_REQUESTS)
        return await self._fal.get_handle(endpoint, request_id)
