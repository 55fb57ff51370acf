"""A submit is sent once, whatever becomes of it; what was certainly not taken is sent again."""

import traceback
from collections.abc import Awaitable, Iterator

import pytest
import stamina
from PIL import Image
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from deployments.engines.base import Made
from deployments.engines.fal.engine import FalEngine
from deployments.engines.fal.options import VerbModels
from deployments.engines.memory_call import MemoryCall
from deployments.engines.submits import SUBMIT_TRIES
from deployments.errors import EngineOutcomeUnknown, NotCharged, TaskFailed
from deployments.media.images import encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import FalEmulator, Fault, answers, does_and_drops, does_and_hangs, drops, truncates
from tests.fal_emulator.network import Network

PHOTO = Picture(url="https://photos.example/me.jpg")
NGINX = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
HTML = b"<!doctype html><title>Welcome</title>"

UNKNOWN = {
    "dropped before it was taken": drops,
    "dropped after it was taken": does_and_drops,
    "408": answers(408, {"detail": "timeout"}),
    "500": answers(500, {"detail": "Internal Server Error"}),
    "500 with an id": answers(500, {"request_id": "1"}),
    "502 of nginx": answers(502, NGINX, Content_Type="text/html"),
    "503 of nginx": answers(503, NGINX),
    "503 of fal": answers(503, {"detail": "busy"}, X_Fal_Request_Id="1"),
    "504 of nginx": answers(504, NGINX),
    "504 of fal, a time-out": answers(504, {"detail": "slow", "error_type": "request_timeout"}),
    "503 of fal, of a request": answers(503, {"detail": "lost", "error_type": "x"}, X_Fal_Request_Id="1"),
    "no JSON": answers(200, HTML),
    "no gzip": answers(200, b"garbage", Content_Encoding="gzip"),
    "no request id": answers(200, {"status": "IN_QUEUE"}),
    "a null id": answers(200, {"request_id": None}),
    "a list": answers(200, []),
}
REFUSED = {
    "400": answers(400, {"detail": "bad request"}),
    "401": answers(401, {"detail": "Authentication is required."}),
    "402": answers(402, {"detail": "Payment required."}),
    "403": answers(403, {"detail": "User is locked. Reason: Exhausted balance."}),
    "404": answers(404, {"detail": "Application not found"}),
    "409": answers(409, {"detail": "conflict"}),
    "422": answers(422, {"detail": [{"loc": ["body"], "msg": "no", "type": "value_error"}]}),
    "a redirect": answers(307, b"", Location="https://queue.fal.run/elsewhere"),
}


class Waiting(Exception):
    """Raised in place of a wait."""


@pytest.fixture
def waits(engine: FalEngine) -> Iterator[list[float]]:
    """Real pauses, of which the first is noted and then not waited for, but raises `Waiting`."""
    seconds: list[float] = []

    def note(details: RetryDetails) -> None:
        seconds.append(details.wait_for)
        raise Waiting

    set_on_retry_hooks([note])
    with stamina.set_testing(False):
        yield seconds
    set_on_retry_hooks(None)


async def failure_of(verb: Awaitable[Made]) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        await verb
    return caught.value


def background(engine: FalEngine, call: MemoryCall) -> Awaitable[Made]:
    return engine.background("hills", AspectRatio.SQUARE, call)


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_an_unknown_fate(fault: Fault, fal: FalEmulator, engine: FalEngine) -> None:
    """Where nobody knows whether fal took a submit, it is sent once, by all attempts together, and the task says so."""
    call = MemoryCall()
    fal.script("submit", fault)
    assert type(await failure_of(background(engine, call))) is EngineOutcomeUnknown
    assert type(await failure_of(background(engine, call.next_attempt()))) is EngineOutcomeUnknown
    assert fal.posts == 1


async def test_no_answer_in_time(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """A submit whose answer does not come within `submit_s` is not sent again."""
    fal.script("submit", does_and_hangs)
    failure = await failure_of(background(make_engine(submit_s=0.2), MemoryCall()))
    assert type(failure) is EngineOutcomeUnknown
    assert (fal.posts, len(fal.requests)) == (1, 1)


async def test_a_truncated_answer(fal: FalEmulator, engine: FalEngine) -> None:
    """A submit whose answer breaks off is not sent again, though the request id may have been in it."""
    fal.script("submit", truncates)
    assert type(await failure_of(background(engine, MemoryCall()))) is EngineOutcomeUnknown
    assert (fal.posts, len(fal.requests)) == (1, 1)


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED.keys())
async def test_a_refusal(fault: Fault, fal: FalEmulator, engine: FalEngine) -> None:
    """What fal says no to was not taken, is known not to be, and is not sent again."""
    call = MemoryCall()
    fal.script("submit", fault)
    failure = await failure_of(background(engine, call))
    assert failure.code == "engine_error"
    assert (fal.posts, call.claimed) == (1, False)


ONWARD = {
    "the key": answers(401, {"detail": "Authentication is required."}),
    "payment": answers(402, {"detail": "Payment required."}),
    "the balance": answers(403, {"detail": "User is locked. Reason: Exhausted balance."}),
    "fal's own 503": answers(503, {"detail": "no runner", "error_type": "runner_scheduling_failure"}),
    "fal's own 500": answers(500, b"oops", X_Fal_Error_Type="internal_error"),
}
NOT_ONWARD = {name: fault for name, fault in REFUSED.items() if name not in {"401", "402", "403"}} | {
    "a gateway's 503 with a time": answers(503, NGINX, Retry_After="1"),
}


@pytest.mark.parametrize("fault", ONWARD.values(), ids=ONWARD.keys())
async def test_another_engine_may_be_asked(fault: Fault, fal: FalEmulator, engine: FalEngine) -> None:
    """Where fal's account is refused, or fal itself says that it broke down, nothing was taken or is charged."""
    fal.script("submit", fault)
    assert isinstance(await failure_of(background(engine, MemoryCall())), NotCharged)
    assert fal.posts == 1


@pytest.mark.parametrize("fault", NOT_ONWARD.values(), ids=NOT_ONWARD.keys())
async def test_no_other_engine_may_be_asked(fault: Fault, fal: FalEmulator, engine: FalEngine) -> None:
    """What is wrong with the request is so at any engine; what was perhaps taken may be charged."""
    fal.script("submit", fault)
    assert not isinstance(await failure_of(background(engine, MemoryCall())), NotCharged)
    assert fal.posts == 1


async def test_a_full_queue(fal: FalEmulator, engine: FalEngine) -> None:
    """fal's 503 that names a time is waited out as a 429 is; without end, another engine may be asked."""
    busy = answers(503, {"detail": "The queue is full."}, Retry_After="1")
    fal.script("submit", busy, busy)
    await background(engine, MemoryCall())
    assert (fal.posts, len(fal.requests)) == (3, 1)
    fal.script("submit", *[busy] * 20)
    assert isinstance(await failure_of(background(engine, MemoryCall())), NotCharged)
    assert (fal.posts, len(fal.requests)) == (3 + SUBMIT_TRIES, 1)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("verb", ["portrait", "background", "cut_out", "blend"])
async def test_a_retired_model(status: int, verb: str, fal: FalEmulator, engine: FalEngine) -> None:
    """The message names the model that is gone, and the setting in which another is chosen."""
    call, square = MemoryCall(), AspectRatio.SQUARE
    making: Awaitable[Made] = {
        "portrait": lambda: engine.portrait("me", [PHOTO], square, call),
        "background": lambda: engine.background("hills", square, call),
        "cut_out": lambda: engine.cut_out(PHOTO, call),
        "blend": lambda: engine.blend("dusk", Picture(data=encode(Image.new("RGB", (8, 8)))), call),
    }[verb]()
    fal.script("submit", answers(status, {"detail": "Application not found"}))
    failure = await failure_of(making)
    assert failure.code == "engine_error"
    assert f"choose another model in engine_options.models.{verb}" in str(failure)
    assert getattr(VerbModels(), verb).endpoint in str(failure)


@pytest.mark.parametrize("retry_after", ["", "2", "soon", "86400"])
async def test_too_many_requests(retry_after: str, fal: FalEmulator, engine: FalEngine) -> None:
    """A burst of 429 is waited out: fal takes nothing that it answers so."""
    fal.script("submit", *[answers(429, {"detail": "slow down"}, Retry_After=retry_after)] * 3)
    await background(engine, MemoryCall())
    assert (fal.posts, len(fal.requests)) == (4, 1)


async def test_429_without_end(fal: FalEmulator, engine: FalEngine) -> None:
    """A 429 that does not go away ends the task, with nothing taken."""
    call = MemoryCall()
    fal.script("submit", *[answers(429)] * 20)
    assert str(await failure_of(background(engine, call))) == (
        "fal.ai takes no more requests at the moment: try again later."
    )
    assert (fal.posts, len(fal.requests), call.claimed) == (SUBMIT_TRIES, 0, False)


@pytest.mark.parametrize(("retry_after", "shortest", "longest"), [("7", 7, 7), ("86400", 0.5, 1.5), ("soon", 0.5, 1.5)])
async def test_retry_after_is_heeded(
    *, retry_after: str, shortest: float, longest: float, fal: FalEmulator, engine: FalEngine, waits: list[float]
) -> None:
    """What fal asks for in `Retry-After` is waited, if it is seconds and not too many."""
    fal.script("submit", answers(429, Retry_After=retry_after))
    with pytest.raises(Waiting):
        await background(engine, MemoryCall())
    assert shortest <= waits[0] <= longest


@pytest.mark.parametrize("refused", [1, 2, 5])
async def test_refused_connections(refused: int, fal: FalEmulator, network: Network, engine: FalEngine) -> None:
    """A connection that was refused, under both names of the queue, sent nothing: it is tried again, and paid once."""
    network.refused = refused
    await background(engine, MemoryCall())
    assert fal.posts == 1
    assert network.dialled[:2] == ["queue.fal.run", "queue.falrun.com"]


async def test_nobody_listens(fal: FalEmulator, network: Network, engine: FalEngine) -> None:
    """Where fal cannot be reached at all, the task ends with nothing taken."""
    call, network.refused = MemoryCall(), 1000
    failure = await failure_of(background(engine, call))
    assert str(failure) == "fal.ai cannot be reached: try again later."
    assert (type(failure).code, fal.posts, call.claimed) == ("engine_error", 0, False)


async def test_a_new_attempt_waits_for_the_request(
    fal: FalEmulator, engine: FalEngine, make_engine: MakeEngine
) -> None:
    """An attempt that finds a receipt waits for that request, even where another model has been set since."""
    call = MemoryCall()
    fal.script("status", *[answers(401, {"detail": "whatever ends this attempt"})])
    await failure_of(background(engine, call))
    later = make_engine(models={"background": "fal-ai/flux/dev"})
    made = await background(later, call.next_attempt())
    assert made.cost is not None
    assert (made.cost.model, fal.posts) == ("fal-ai/nano-banana-2", 1)


async def test_a_new_attempt_needs_no_photos(fal: FalEmulator, engine: FalEngine) -> None:
    """What was submitted already does not fail because a photo's URL has expired since."""
    call = MemoryCall()
    await engine.background("hills", AspectRatio.SQUARE, call)
    gone = Picture(url="http://gone.example/me.png")
    await engine.portrait("me", [gone], AspectRatio.SQUARE, call.next_attempt())
    assert fal.posts == 1


async def test_the_cause_is_in_the_traceback(fal: FalEmulator, engine: FalEngine) -> None:
    """What an operator reads of an unknown fate names what went wrong."""
    fal.script("submit", drops)
    failure = await failure_of(background(engine, MemoryCall()))
    assert "Server disconnected" in "".join(traceback.format_exception(failure))
