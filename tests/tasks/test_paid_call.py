"""The stage's side of a paid submit: claim, send and record are one piece, whatever calls it off."""

import asyncio
import gc
from decimal import Decimal
from typing import cast

import pytest

from deployments.errors import BudgetExceeded, EngineError, EngineOutcomeUnknown
from deployments.tasks.messages import ClaimSubmit, Message
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import StaleWrite
from tests.tasks.in_process import turns
from tests.tasks.running import ENGINE, STEP, R, Running


async def test_a_receipt_is_found_by_the_next_attempt() -> None:
    """Which then waits for that request, and sends nothing."""
    service = Running()
    request = await service.first_attempt()

    async def send() -> str:
        return "request 1"

    async def send_again() -> str:
        raise AssertionError

    assert await ClaimedCall(service.ask, request, ENGINE).submit(send) == "request 1"
    request = await service.next_attempt()
    assert await ClaimedCall(service.ask, request, ENGINE).submit(send_again) == "request 1"


async def test_a_submit_that_was_certainly_refused_may_be_sent_again() -> None:
    """By the next attempt, say."""
    service = Running(deadlines={"unknown_submit_s": 0})
    request = await service.first_attempt()

    async def refused() -> str:
        raise EngineError("Refused.")

    with pytest.raises(EngineError, match="Refused"):
        await ClaimedCall(service.ask, request, ENGINE).submit(refused)
    assert await service.submits.claim("t", 1, STEP, ENGINE, "new") is None


async def test_an_answer_that_was_lost_is_an_unknown_outcome() -> None:
    """Now, and for whoever claims later."""
    service = Running(deadlines={"unknown_submit_s": 0})
    request = await service.first_attempt()

    async def lost() -> str:
        raise TimeoutError

    for _ in range(2):
        with pytest.raises(EngineOutcomeUnknown):
            await ClaimedCall(service.ask, request, ENGINE).submit(lost)


async def test_a_cancellation_does_not_tear_submit_and_record() -> None:
    """What was sent when the cancellation came is on record when it takes effect."""
    service = Running()
    request = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        return "request 1"

    submitting = asyncio.create_task(ClaimedCall(service.ask, request, ENGINE).submit(send))
    await sent.wait()
    for _ in range(2):  # it may be called off, and its replica then shut down
        submitting.cancel()
        await turns()
        assert not submitting.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, STEP, ENGINE, "new") == "fal:request 1"


async def test_a_cancellation_before_the_submit_leaves_no_claim() -> None:
    """Nothing was sent, and whoever claims next may send at once."""
    service = Running(deadlines={"unknown_submit_s": 600})
    request = await service.first_attempt()

    async def ask(message: Message[R]) -> R:
        await asyncio.sleep(0)  # a claim takes a while to arrive
        return await service.ask(message)

    async def send() -> str:
        raise AssertionError

    submitting = asyncio.create_task(ClaimedCall(ask, request, ENGINE).submit(send))
    await asyncio.sleep(0)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, STEP, ENGINE, "new") is None


async def test_a_claim_that_is_repeated_too_late_leaves_nothing() -> None:
    """It stands, but its answer was lost with the actor; when it is repeated, another attempt has begun."""
    service = Running(deadlines={"unknown_submit_s": 600})
    request = await service.first_attempt()

    async def ask(message: Message[R]) -> R:
        """Delivers a claim twice, the second time to the next attempt's orchestrator."""
        reply = await service.ask(message)
        if type(message) is ClaimSubmit:
            await service.next_attempt()
            return cast(R, await service.ask(message))
        return reply

    async def send() -> str:
        raise AssertionError

    with pytest.raises(StaleWrite, match="attempt 1 writes while attempt 2 runs"):
        await ClaimedCall(ask, request, ENGINE).submit(send)
    assert await service.submits.claim("t", 2, STEP, ENGINE, "new") is None


async def test_a_cancelled_submit_that_fails_leaves_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for its error any more, and nobody is told of it as if somebody should have."""
    service = Running()
    request = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        raise EngineError("Refused.")

    submitting = asyncio.create_task(ClaimedCall(service.ask, request, ENGINE).submit(send))
    await sent.wait()
    submitting.cancel()
    await asyncio.sleep(0)
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    del submitting
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_verb_knows_the_receipt_of_an_earlier_attempt() -> None:
    """Before it has made its inputs ready."""
    service = Running()
    request = await service.first_attempt()
    assert ClaimedCall(service.ask, request, ENGINE).receipt is None
    await service.submits.claim("t", 1, STEP, ENGINE, "token")
    await service.submits.record("t", STEP, ENGINE, "token", "fal:request 1")
    assert ClaimedCall(service.ask, await service.next_attempt(), ENGINE).receipt == "request 1"


MONEY = {"prices": {"model": 0.1}, "callers": {"*": {"spend_per_day": 1}}}


def spent(service: Running) -> Decimal:
    return service.orchestrator.callers.spendings.spent("default")


async def test_the_price_of_the_model_is_reserved_before_it_is_sent() -> None:
    """Where the budget does not pay for it, nothing is sent; whoever claims next need not wait."""
    service = Running(**MONEY | {"prices": {"model": 0.1, "dear": 2}})
    request = await service.first_attempt()
    known: list[Decimal] = []

    async def send() -> str:
        known.append(spent(service))
        return "request 1"

    with pytest.raises(BudgetExceeded):
        await ClaimedCall(service.ask, request, ENGINE).submit(send, "dear")
    assert await ClaimedCall(service.ask, request, ENGINE).submit(send, "model") == "request 1"
    assert known == [Decimal("0.1")]


@pytest.mark.parametrize("has_ended", [False, True])
async def test_a_submit_that_was_not_taken_costs_nothing(has_ended: bool) -> None:
    """Also if the task has ended meanwhile."""
    service = Running(**MONEY)
    request = await service.first_attempt()

    async def refused() -> str:
        assert spent(service) == Decimal("0.1")
        if has_ended:
            await service.orchestrator.cancel("t")
        raise EngineError("Refused.")

    with pytest.raises(EngineError, match="Refused"):
        await ClaimedCall(service.ask, request, ENGINE).submit(refused, "model")
    assert spent(service) == 0


@pytest.mark.parametrize("has_ended", [False, True])
async def test_what_a_request_cost_that_made_nothing(has_ended: bool) -> None:
    """Known from the attempt that sent it, or from the next one; also if the task has ended meanwhile."""
    service = Running(**MONEY)
    request = await service.first_attempt()

    async def send() -> str:
        return "request 1"

    first = ClaimedCall(service.ask, request, ENGINE)
    await first.made_nothing(0)  # nothing has been sent: nothing is known of it
    await first.submit(send, "model")
    second = ClaimedCall(service.ask, await service.next_attempt(), ENGINE)
    if has_ended:
        await service.orchestrator.cancel("t")
    await first.made_nothing(0.5, "model")
    assert spent(service) == Decimal("0.05")
    await second.made_nothing(0)
    assert spent(service) == (Decimal("0.05") if has_ended else 0)  # of an ended task, the first word is the last


async def test_an_unknown_outcome_keeps_its_reservation() -> None:
    """The provider may have charged."""
    service = Running(**MONEY | {"deadlines": {"unknown_submit_s": 0}})
    request = await service.first_attempt()

    async def lost() -> str:
        raise TimeoutError

    with pytest.raises(EngineOutcomeUnknown):
        await ClaimedCall(service.ask, request, ENGINE).submit(lost, "model")
    await service.orchestrator.cancel("t")
    assert spent(service) == Decimal("0.1")
