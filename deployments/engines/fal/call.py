"""One paid call from its inputs to its result: asked for once, waited for, and given up in an orderly way."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import stamina
from pydantic import JsonValue

from deployments.engines.base import Cost, PaidCall
from deployments.engines.fal import errors
from deployments.engines.fal.queue import FalQueue, NotTaken, Outcome, endpoint_of
from deployments.errors import EngineError, EngineTimeout, FetchFailed
from deployments.media.httpx_errors import pause_asked_for

logger = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

SUBMIT_TRIES = 8
CANCEL_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to ask of which model. `arguments` makes the inputs ready; `setting` names where the model is chosen.

    `links`: whether the model is handed links of the caller's own, which may fail without anybody else's fault.
    """

    endpoint: str
    setting: str
    arguments: Callable[[], Awaitable[dict[str, JsonValue]]]
    links: bool


@dataclass(slots=True)
class _Request:
    """The request that a call waits for, once there is one."""

    receipt: str | None


class FalCalls:
    """Calls models through `queue`, each within `deadline_s` seconds; `sleep` passes the time between two looks."""

    def __init__(self, queue: FalQueue, deadline_s: float, sleep: Sleep = asyncio.sleep) -> None:
        self._queue = queue
        self._deadline_s = deadline_s
        self._sleep = sleep
        self._cancelling: set[asyncio.Task[None]] = set()

    async def result(self, order: Order, call: PaidCall) -> tuple[JsonValue, Cost]:
        """What the model answers, and what that costs.

        Raises:
            EngineOutcomeUnknown: see `PaidCall.submit`.
            EngineTimeout: the deadline is over.
            TaskFailed: fal, or the model, says why not.
        """
        request = _Request(call.receipt)
        try:
            async with asyncio.timeout(self._deadline_s) as deadline:
                receipt = request.receipt or await self._submitted(order, call, request)
                return await self._awaited(receipt, order, call)
        except TimeoutError:
            if not deadline.expired():  # somebody else's
                raise
            self._give_up(request)
            raise EngineTimeout(
                f"The image model was not done within {self._deadline_s:g} s: try again later."
            ) from None
        except asyncio.CancelledError:
            self._give_up(request, unless_wanted=call)
            raise

    async def _submitted(self, order: Order, call: PaidCall, request: _Request) -> str:
        arguments = await order.arguments()

        async def send() -> str:
            request.receipt = await self._queue.submit(order.endpoint, arguments, order.setting)
            return request.receipt

        # The pauses lie outside `call.submit`, as a cancellation has to wait for that.
        async for attempt in stamina.retry_context(
            _pause_after, attempts=SUBMIT_TRIES, timeout=None, wait_initial=0.5, wait_max=10.0
        ):
            with attempt:
                request.receipt = await call.submit(send)
        assert request.receipt is not None  # noqa: S101 - the last attempt raises where none succeeds
        return request.receipt

    async def _awaited(self, receipt: str, order: Order, call: PaidCall) -> tuple[JsonValue, Cost]:
        """The request may be an earlier attempt's, under other settings: its receipt tells which model it went to."""
        endpoint = endpoint_of(receipt)
        outcome = await self._outcome(receipt, call)
        if outcome.response.is_success:
            return outcome.body, Cost(endpoint, _billed_units(outcome.response))
        failure = errors.failure_of(outcome.response, endpoint, order.setting)
        if isinstance(failure, FetchFailed) and not order.links:
            raise EngineError("The image model's provider could not load a picture of its own: try again later.")
        raise failure

    async def _outcome(self, receipt: str, call: PaidCall) -> Outcome:
        pauses = growing_pauses()
        while True:
            await self._sleep(next(pauses))
            if (outcome := await self._queue.look(receipt, call.report)) is not None:
                return outcome

    def _give_up(self, request: _Request, unless_wanted: PaidCall | None = None) -> None:
        """Has fal cancel the request, without keeping anybody waiting for that."""
        if request.receipt is not None:
            task = asyncio.create_task(self._cancel(request.receipt, unless_wanted))
            self._cancelling.add(task)  # the event loop itself keeps weak references only
            task.add_done_callback(self._cancelling.discard)

    async def _cancel(self, receipt: str, unless_wanted: PaidCall | None) -> None:
        try:
            async with asyncio.timeout(CANCEL_S):
                if unless_wanted is None or not await unless_wanted.is_wanted():
                    await self._queue.cancel(receipt)
        except Exception as error:  # nobody waits for this any more, and too late is no fault
            logger.info("A request could not be cancelled at fal.ai: %s", type(error).__name__)


def growing_pauses() -> Iterator[float]:
    """The seconds before each look: growing, so that a request of 20 s is looked at 10 times."""
    pause = 0.5
    while True:
        yield pause
        pause = min(pause * 1.5, 3.0)


def _pause_after(error: Exception) -> bool | float:
    """Whether to submit again after `error`, and after how many seconds where fal says so."""
    if not isinstance(error, NotTaken):
        return False
    pause = pause_asked_for(error.retry_after)
    return True if pause is None else pause


def _billed_units(answer: httpx.Response) -> float | None:
    try:
        units = float(answer.headers.get("X-Fal-Billable-Units", ""))
    except ValueError:
        return None
    return units if math.isfinite(units) else None
