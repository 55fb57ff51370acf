"""What nobody waits for any more is cancelled at fal; what a next attempt will wait for is not."""

import asyncio
from typing import Any

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import EngineError
from deployments.media.sizes import AspectRatio
from tests.engines.fal.making import soon
from tests.fal_emulator.emulator import FalEmulator, Way, answers, drops
from tests.fal_emulator.http import Answer
from tests.tasks.in_process import turns


class AskingCall(MemoryCall):
    """Tells when it was asked whether the result is wanted."""

    def __init__(self, *, wanted: bool) -> None:
        super().__init__(wanted=wanted)
        self.was_asked = asyncio.Event()

    async def is_wanted(self) -> bool:
        self.was_asked.set()
        return self.wanted


def start(engine: FalEngine, call: MemoryCall) -> asyncio.Task[Any]:
    return asyncio.create_task(engine.background("hills", AspectRatio.SQUARE, call))


async def cancel(running: asyncio.Task[Any]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_cancelled_task(fal: FalEmulator, engine: FalEngine) -> None:
    """Cancelling the verb cancels the request at fal."""
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(call.reported)
    await cancel(running)
    await soon(fal.cancel_asked)
    assert [request.cancelled for request in fal.requests.values()] == [True]


async def test_fal_keeps_nobody_waiting(fal: FalEmulator, engine: FalEngine) -> None:
    """The cancelled verb ends at once, though fal has not answered to the cancellation."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly(way: Way) -> Answer:
        asked.set()
        await may_answer.wait()
        return way()

    fal.script("cancel", slowly)
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(call.reported)
    await cancel(running)
    await soon(asked)
    assert not fal.cancel_asked.is_set()
    may_answer.set()
    await soon(fal.cancel_asked)


async def test_a_lost_attempt(fal: FalEmulator, engine: FalEngine) -> None:
    """Where only the attempt was lost, the request runs on, and the next attempt gets its result."""
    fal.queue_s, call = 1e9, AskingCall(wanted=True)
    running = start(engine, call)
    await soon(call.reported)
    await cancel(running)
    await soon(call.was_asked)
    fal.queue_s = 0
    made = await engine.background("hills", AspectRatio.SQUARE, call.next_attempt())
    assert made.picture.url is not None
    assert not fal.cancel_asked.is_set()
    assert fal.posts == 1


async def test_cancelled_while_submitting(fal: FalEmulator, engine: FalEngine) -> None:
    """A submit that is out is seen through: its receipt is recorded, and then it is cancelled at fal."""
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly(way: Way) -> Answer:
        arrived.set()
        await may_answer.wait()
        return way()

    fal.script("submit", slowly)
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(arrived)
    running.cancel()
    may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await soon(fal.cancel_asked)
    assert call.receipt is not None
    assert fal.posts == 1


async def test_cancelled_between_two_tries(fal: FalEmulator, engine: FalEngine) -> None:
    """A task that is cancelled while fal takes no requests is not submitted afterwards."""
    arrived = asyncio.Event()

    async def busy(_: Way) -> Answer:
        arrived.set()
        return Answer(429)

    fal.script("submit", *[busy] * 8)
    call = MemoryCall()
    running = start(engine, call)
    await soon(arrived)
    await cancel(running)
    assert fal.requests == {}


@pytest.mark.parametrize("fault", [answers(400, {"status": "ALREADY_COMPLETED"}), answers(404, b""), drops])
async def test_too_late(fault: Any, fal: FalEmulator, engine: FalEngine, caplog: pytest.LogCaptureFixture) -> None:
    """A cancellation that comes too late, or fails, harms nobody."""
    done = asyncio.Event()

    async def late(way: Way) -> Answer | None:
        done.set()
        answer: Answer | None = await fault(way)
        return answer

    fal.script("cancel", late)
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(call.reported)
    await cancel(running)
    await soon(done)
    assert "Task exception was never retrieved" not in caplog.text


MODEL = "fal-ai/nano-banana-2"


@pytest.mark.parametrize(
    ("end", "billed"),
    [
        (None, 0),  # it was cancelled
        (Answer(200, {"images": []}, {"X-Fal-Billable-Units": "1.5"}), 1.5),
        (Answer(200, {"images": []}), None),
        (Answer(500, {"detail": "stopped", "error_type": "x"}), 0),
        (Answer(422, {"detail": "stopped"}, {"X-Fal-Billable-Units": "2"}), 2),
    ],
)
async def test_what_a_cancelled_request_was_billed(
    end: Answer | None, billed: float | None, fal: FalEmulator, engine: FalEngine
) -> None:
    """Nothing, if the cancellation ended it; else what fal says. What it does not say is not made up."""
    looked = asyncio.Event()

    async def ends(way: Way) -> Answer:
        looked.set()
        return end or way()

    fal.script("result", ends)
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(call.reported)
    await cancel(running)
    await soon(looked)
    await turns()
    assert call.corrected == ([] if billed is None else [(billed, MODEL)])


async def test_what_a_failed_request_was_billed(fal: FalEmulator, engine: FalEngine) -> None:
    """If fal says it; of a failure without units, nobody knows."""
    for units, corrected in (("3", [(3, MODEL)]), ("", [])):
        fal.outcome = Answer(422, {"detail": [{"type": "x", "msg": "no"}]}, {"X-Fal-Billable-Units": units})
        call = MemoryCall()
        with pytest.raises(EngineError, match="The image model does not take the request"):
            await engine.background("hills", AspectRatio.SQUARE, call)
        assert (call.corrected, call.model) == (corrected, MODEL)


async def test_who_may_not_see_the_bill_does_not_know_it(fal: FalEmulator, engine: FalEngine) -> None:
    """The cancellation is accepted, and then the key is refused: nobody says that nothing is billed."""
    fal.queue_s, call = 1e9, MemoryCall()
    running = start(engine, call)
    await soon(call.reported)
    fal.script("status", *[answers(401, {"detail": "Authentication is required"})] * 50)
    await cancel(running)
    await soon(fal.cancel_asked)
    for _ in range(10):
        await turns()
    assert call.corrected == []
