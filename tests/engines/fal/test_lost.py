"""A submit whose answer was lost: what fal's list of requests tells becomes the receipt; that it tells nothing proves
nothing.
"""

import asyncio

import pytest
from fal_client import AsyncClient

from deployments.engines.fal.lost import LostRequests
from deployments.engines.memory_call import MemoryCall
from deployments.errors import EngineOutcomeUnknown
from deployments.media.sizes import AspectRatio
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import KEY, FalEmulator, Fault, answers, does_and_drops, drops

FINDING = {"find_lost": True, "store_io": True}


async def made_by(make_engine: MakeEngine, call: MemoryCall, words: str = "hills", **options: object) -> str | None:
    engine = make_engine(**(FINDING | options))
    made = await engine.background(words, AspectRatio.SQUARE, call)
    return made.picture.url


async def test_what_is_found_becomes_the_receipt(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """The request is waited for, and nothing is sent again."""
    call = MemoryCall()
    fal.script("submit", does_and_drops)
    url = await made_by(make_engine, call)
    (request,) = fal.requests.values()
    assert (url, fal.posts) == (f"https://v3.fal.media/files/{request.id}.png", 1)
    assert call.receipt == f"fal-ai/nano-banana-2/requests/{request.id}"


async def test_an_older_attempts_submit_is_found_too(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Its process died before it heard the answer."""
    call = MemoryCall()
    fal.script("submit", does_and_drops)
    with pytest.raises(EngineOutcomeUnknown):
        await made_by(make_engine, call, find_lost=False)
    later = call.next_attempt()
    assert await made_by(make_engine, later) is not None
    assert (fal.posts, later.receipt is not None) == (1, True)


async def test_a_request_that_still_runs_is_found_once_it_has_ended(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """The list shows only those that have."""
    looks = iter(range(1_000))
    fal.run_s, fal.clock = 5, lambda: next(looks)
    fal.script("submit", does_and_drops)
    assert await made_by(make_engine, MemoryCall()) is not None


async def test_among_others(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Ours is the one that was about exactly the same."""
    for words in ("a sea", "a lake"):
        await made_by(make_engine, MemoryCall(), words)
    fal.script("submit", does_and_drops)
    call = MemoryCall()
    await made_by(make_engine, call, "hills")
    assert call.receipt is not None
    assert fal.requests[call.receipt.rpartition("/")[2]].arguments["prompt"].endswith("hills")


NOT_FOUND: dict[str, tuple[Fault, Fault | None]] = {
    "never taken": (drops, None),
    "a key that may not ask": (does_and_drops, answers(403, {"error": {"type": "authorization_error"}})),
    "a key that is refused": (does_and_drops, answers(401, {"detail": "no"})),
}


@pytest.mark.parametrize(("submit", "listing"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
async def test_what_is_not_found_stays_unknown(
    submit: Fault, listing: Fault | None, fal: FalEmulator, make_engine: MakeEngine
) -> None:
    """As without asking: it is not sent again."""
    fal.script("submit", submit)
    if listing:
        fal.script("list", listing)
    with pytest.raises(EngineOutcomeUnknown):
        await made_by(make_engine, MemoryCall())
    assert fal.posts == 1


async def test_of_two_alike_nobody_can_tell_ours(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Another task has asked for the same."""
    await made_by(make_engine, MemoryCall())
    fal.script("submit", does_and_drops)
    with pytest.raises(EngineOutcomeUnknown):
        await made_by(make_engine, MemoryCall())


async def test_a_list_in_trouble_is_asked_again(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Asking is free."""
    fal.script("submit", does_and_drops)
    fal.script("list", drops, answers(502, b"nginx"), answers(200, b"<html>"), answers(429, {}))
    assert await made_by(make_engine, MemoryCall()) is not None


async def test_it_is_off_by_default(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Nobody is asked; an operator whose key may ask turns it on."""
    fal.script("submit", does_and_drops)
    with pytest.raises(EngineOutcomeUnknown):
        await make_engine().background("hills", AspectRatio.SQUARE, MemoryCall())
    assert not any(asked.host == "api.fal.ai" for asked in fal.asked)


async def test_it_is_given_up_after_a_while(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """A call that was never taken will never be listed."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    lost = LostRequests(AsyncClient(KEY), sleep, look_for_s=20)
    call = MemoryCall()
    fal.script("submit", drops)
    with pytest.raises(EngineOutcomeUnknown):
        await make_engine().background("hills", AspectRatio.SQUARE, call)
    assert call.claimed_at is not None
    assert await lost.find("fal-ai/flux/dev", {}, call.claimed_at, 60) is None
    assert 20 <= sum(slept) <= 25
