"""One paid call from its inputs to its result: asked for once, waited for, and given up in an orderly way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from deployments.engines.base import Cost, PaidCall
from deployments.engines.fal import errors
from deployments.engines.fal.lost import LostRequests
from deployments.engines.fal.queue import FalQueue, ModelAnswer, endpoint_of, receipt_of
from deployments.engines.submits import Sleep, growing_pauses, tries
from deployments.errors import EngineError, EngineOutcomeUnknown, EngineTimeout, FetchFailed

logger = logging.getLogger(__name__)

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


class FalRequests:
    """Calls models through `queue`, each within `deadline_s` seconds; `sleep` passes the time between two looks.

    `lost` looks for submits whose answers were lost; None: nobody does.
    """

    def __init__(
        self, queue: FalQueue, deadline_s: float, sleep: Sleep = asyncio.sleep, lost: LostRequests | None = None
    ) -> None:
        self._lost = lost
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
            self._give_up(request, call)
            raise EngineTimeout(
                f"The image model was not done within {self._deadline_s:g} s: try again later."
            ) from None
        except asyncio.CancelledError:
            self._give_up(request, call, unless_wanted=True)
            raise

    async def _submitted(self, order: Order, call: PaidCall, request: _Request) -> str:
        arguments = await order.arguments()

        async def send() -> str:
            request.receipt = await self._queue.submit(order.endpoint, arguments, order.setting)
            return request.receipt

        try:
            # The pauses lie outside `call.submit`, as a cancellation has to wait for that.
            async for attempt in tries():
                with attempt:
                    request.receipt = await call.submit(send, order.endpoint)
        except EngineOutcomeUnknown:
            if (found := await self._found(order.endpoint, arguments, call)) is None:
                raise
            request.receipt = found
        assert request.receipt is not None  # noqa: S101 - the last attempt raises where none succeeds
        return request.receipt

    async def _found(self, endpoint: str, arguments: Mapping[str, JsonValue], call: PaidCall) -> str | None:
        """The receipt of a submit whose answer was lost, where fal is asked for that, and tells it."""
        if self._lost is None or call.claimed_at is None:
            return None
        number = await self._lost.find(endpoint, arguments, call.claimed_at, self._queue.submit_s)
        if number is None:
            return None
        receipt = receipt_of(endpoint, number)
        await call.found(receipt)
        logger.warning("A submit whose answer was lost was found in fal.ai's list of requests.")
        return receipt

    async def _awaited(self, receipt: str, order: Order, call: PaidCall) -> tuple[JsonValue, Cost]:
        """The request may be an earlier attempt's, under other settings: its receipt tells which model it went to."""
        endpoint = endpoint_of(receipt)
        outcome = await self._outcome(receipt, call)
        if outcome.response.is_success:
            return outcome.body, Cost(endpoint, errors.billed_units(outcome.response))
        if (units := errors.billed_units(outcome.response)) is not None:
            await call.made_nothing(units, endpoint)
        failure = errors.failure_of(outcome.response, endpoint, order.setting)
        if isinstance(failure, FetchFailed) and not order.links:
            raise EngineError("The image model's provider could not load a picture of its own: try again later.")
        raise failure

    async def _outcome(self, receipt: str, call: PaidCall) -> ModelAnswer:
        pauses = growing_pauses()
        while True:
            await self._sleep(next(pauses))
            if (outcome := await self._queue.look(receipt, call.report)) is not None:
                return outcome

    def _give_up(self, request: _Request, call: PaidCall, *, unless_wanted: bool = False) -> None:
        """Has fal cancel the request, without keeping anybody waiting for that."""
        if request.receipt is not None:
            task = asyncio.create_task(self._cancel(request.receipt, call, unless_wanted=unless_wanted))
            self._cancelling.add(task)  # the event loop itself keeps weak references only
            task.add_done_callback(self._cancelling.discard)

    async def _cancel(self, receipt: str, call: PaidCall, *, unless_wanted: bool) -> None:
        try:
            async with asyncio.timeout(CANCEL_S):
                if unless_wanted and await call.is_wanted():
                    return
                await self._queue.cancel(receipt)
            async with asyncio.timeout(CANCEL_S):
                await self._see_bill(receipt, call)
        except Exception as error:  # nobody waits for this any more, and too late is no fault
            logger.info("A request could not be cancelled at fal.ai: %s", type(error).__name__)

    async def _see_bill(self, receipt: str, call: PaidCall) -> None:
        """Records what fal bills for a request whose cancellation it has accepted: nothing, if that ended it."""
        outcome = await self._outcome(receipt, call)
        units = errors.billed_units(outcome.response)
        if units is None and not outcome.response.is_success and outcome.body is not None:  # in fal's own words
            units = 0
        if units is not None:
            await call.made_nothing(units, endpoint_of(receipt))
