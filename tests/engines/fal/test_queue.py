"""Each thing that can go wrong on fal after a submit ends as the documented code, with a message for the caller."""

import asyncio
from collections.abc import Awaitable

import pytest

from deployments.engines.fal import queue
from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.results import opaque_result
from deployments.media.sizes import AspectRatio
from tests.engines.fal.conftest import MakeEngine, soon
from tests.fal_emulator.emulator import KEY, FalEmulator, Fault, Kind, Way, answers, drops, truncates
from tests.fal_emulator.http import DROP, Answer

LIMITS = PictureLimits()
HTML = b"<!doctype html><title>502 Bad Gateway</title>nginx"
INTERNAL = "https://internal.fal.run/runner-7?token=secret"


def model_error(status: int, kind: str, message: str = "no") -> Answer:
    return Answer(status, {"detail": [{"loc": ["body"], "msg": message, "type": kind, "input": "the prompt"}]})


def fal_error(status: int, kind: str) -> Answer:
    return Answer(status, {"detail": f"failed at {INTERNAL}", "error_type": kind})


def result(**body: object) -> Answer:
    return Answer(200, body)


def picture_at(url: object) -> Answer:
    return result(images=[{"url": url}])


OUTCOMES: dict[str, tuple[Answer, str, str]] = {
    "content": (
        model_error(422, "content_policy_violation", f"nudity, see {INTERNAL}"),
        "content_rejected",
        "(nudity, see)",
    ),
    "blackened": (
        result(images=[{"url": "https://v3.fal.media/x"}], has_nsfw_concepts=[True]),
        "content_rejected",
        "hid",
    ),
    "no face": (model_error(422, "face_detection_error"), "no_person_found", "shows a face"),
    "too small": (model_error(422, "image_too_small", "at least 256 px"), "invalid_image", "at least 256 px"),
    "too large": (model_error(422, "image_too_large"), "invalid_image", "smaller"),
    "unreadable": (model_error(422, "image_load_error"), "invalid_image", "another"),
    "file too large": (model_error(422, "file_too_large"), "invalid_image", "smaller"),
    "its own file not had": (model_error(422, "file_download_error", INTERNAL), "engine_error", "a picture of its own"),
    "an internal host": (
        model_error(422, "one_of", "no: see 10.1.2.3:80 or v3.fal.media/x"),
        "engine_error",
        "(no: see or)",
    ),
    "one of": (model_error(422, "one_of", "not a ratio"), "engine_error", "engine_options.models.background"),
    "unknown field": (model_error(422, "extra_forbidden"), "engine_error", "engine_options.models.background"),
    "model broke": (model_error(500, "internal_server_error"), "engine_error", "try again later"),
    "model crashed": (Answer(500, {"detail": "Internal Server Error"}), "engine_error", "try again later"),
    "model slow": (model_error(504, "generation_timeout"), "engine_timeout", "too long"),
    "no time": (fal_error(504, "request_timeout"), "engine_timeout", "try again later"),
    "no start": (fal_error(503, "startup_timeout"), "engine_timeout", "did not start"),
    "runner lost": (fal_error(503, "runner_disconnected"), "engine_error", "try again later"),
    "by header": (
        Answer(500, b"oops", {"X-Fal-Error-Type": "runner_scheduling_failure"}),
        "engine_error",
        "broke down",
    ),
    "retryable": (Answer(400, {"detail": "x"}, {"X-Fal-Retryable": "true"}), "engine_error", "(x)"),
    "key revoked": (Answer(401, {"detail": f"Key {KEY} is revoked"}), "engine_error", "FAL_KEY"),
    "no balance": (Answer(403, {"detail": "User is locked. Reason: Exhausted balance."}), "engine_error", "balance"),
    "expired": (Answer(404, {"detail": "Request not found"}), "engine_error", "fal-ai/nano-banana-2"),
    "retired": (Answer(410, {"detail": ""}), "engine_error", "engine_options.models.background"),
    "no reason": (Answer(418, {"detail": ["?"]}), "engine_error", "it gave no reason"),
    "nothing": (result(), "engine_error", "engine_options.models.background.output"),
    "no pictures": (result(images=[]), "engine_error", "engine_options.models.background.output"),
    "not a list": (result(images="x"), "engine_error", "engine_options.models.background.output"),
    "null": (result(images=None), "engine_error", "engine_options.models.background.output"),
    "not a number": (
        Answer(200, b'{"images": [{"url": NaN}]}'),
        "engine_error",
        "engine_options.models.background.output",
    ),
    "a list": (Answer(200, []), "engine_error", "engine_options.models.background.output"),
    "a file's path": (picture_at("file:///etc/passwd"), "engine_error", "engine_options.models.background.output"),
    "bad data": (picture_at("data:image/png;base64,@@@"), "engine_error", "no usable picture"),
    "no picture data": (picture_at("data:image/png;base64,AAAA"), "engine_error", "no usable picture"),
    "metadata service": (picture_at("http://169.254.169.254/x"), "engine_error", "could not be loaded"),
    "our network": (picture_at("https://localhost/x"), "engine_error", "could not be loaded"),
    "gone picture": (picture_at("https://v3.fal.media/files/gone"), "engine_error", "could not be loaded"),
}


async def as_a_stage_does(engine: FalEngine, egress: Egress, call: MemoryCall) -> bytes:
    made = await engine.background("hills", AspectRatio.SQUARE, call)
    data = await made.picture.read(egress, LIMITS.bytes)
    return opaque_result(data, AspectRatio.SQUARE, LIMITS)


async def failure_of(working: Awaitable[bytes]) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        await working
    return caught.value


@pytest.mark.parametrize(("outcome", "code", "words"), OUTCOMES.values(), ids=OUTCOMES.keys())
async def test_outcomes(
    *, outcome: Answer, code: str, words: str, fal: FalEmulator, engine: FalEngine, egress: Egress
) -> None:
    """Whatever a model answers, a bad one has a code and a message without internal URLs; it is asked once."""
    fal.outcome = outcome
    failure = await failure_of(as_a_stage_does(engine, egress, MemoryCall()))
    assert failure.code == code
    assert words in str(failure)
    assert not {"://", "secret", KEY} & {part for part in ("://", "secret", KEY) if part in str(failure)}
    assert (fal.posts, next(iter(fal.requests.values())).result_reads) == (1, 1)


READ_TROUBLE: dict[str, Fault] = {
    "dropped": drops,
    "429": answers(429, {"detail": "slow down"}),
    "500": answers(500, {"detail": "Internal Server Error"}),
    "502 of nginx": answers(502, HTML),
    "503": answers(503, b""),
    "error page": answers(200, HTML),
    "no logs": answers(202, {"status": "IN_PROGRESS"}),
    "no position": answers(202, {"status": "IN_QUEUE"}),
    "unknown status": answers(202, {"status": "THINKING"}),
    "a list": answers(200, []),
    "408": answers(408, {"detail": "timeout"}),
    "425": answers(425, {"detail": "too early", "error_type": "too_early"}),
    "truncated": truncates,
    "no gzip": answers(200, b"garbage", Content_Encoding="gzip"),
    "a redirect to data": answers(302, b"", Location="data:application/json,{}"),
    "a redirect in a ring": answers(302, b"", Location="?"),
    "no UTF-8": answers(200, b'{"status": "\xff"}'),
    "nested too deep": answers(200, b"[" * 200_000),
}


@pytest.mark.parametrize("fault", READ_TROUBLE.values(), ids=READ_TROUBLE.keys())
async def test_trouble_with_the_status(fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """Reading is free: a status that cannot be read is read again."""
    fal.script("status", fault, fault)
    await as_a_stage_does(engine, egress, MemoryCall())
    assert fal.posts == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_status_that_says_no(status: int, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """The key is refused, or nothing is known of the request: that ends the wait."""
    fal.script("status", answers(status, HTML))
    assert (await failure_of(as_a_stage_does(engine, egress, MemoryCall()))).code == "engine_error"
    assert fal.posts == 1


NO_RESULT: dict[str, Fault] = {
    "403 of a gateway": answers(403, HTML, Content_Type="text/html"),
    "404 of a gateway": answers(404, b""),
    "400 in another's JSON": answers(400, {"message": "Bad Request"}),
    "425 signed": answers(425, b"", X_Fal_Error_Type="too_early"),
    "429 in fal's words": answers(429, {"detail": [{"type": "slow_down", "msg": "no"}], "error_type": "x"}),
    "empty": answers(200, b""),
}
NO_RESULT |= {
    name: fault
    for name, fault in READ_TROUBLE.items()
    if not name.startswith(("no logs", "no pos", "unknown", "a list"))
}


@pytest.mark.parametrize("fault", NO_RESULT.values(), ids=NO_RESULT.keys())
async def test_trouble_with_the_result(fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """A result that a gateway keeps from us is read again: only fal's own word ends the wait."""
    fal.script("result", fault, fault)
    await as_a_stage_does(engine, egress, MemoryCall())
    assert fal.posts == 1


FALS_WORD: dict[str, Fault] = {
    "a model's": answers(500, {"detail": [{"msg": "no", "type": "internal_server_error"}]}),
    "a type": answers(503, {"detail": "lost", "error_type": "runner_disconnected"}),
    "a type in a header": answers(500, b"oops", X_Fal_Error_Type="runner_scheduling_failure"),
    "a refusal": answers(400, {"detail": "no such thing"}),
}


@pytest.mark.parametrize("fault", FALS_WORD.values(), ids=FALS_WORD.keys())
async def test_fals_own_word(fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """An error that fal signs ends the wait, though the status spoke of none."""
    fal.script("result", fault)
    assert (await failure_of(as_a_stage_does(engine, egress, MemoryCall()))).code == "engine_error"
    assert fal.posts == 1


@pytest.mark.parametrize("fault", FALS_WORD.values(), ids=FALS_WORD.keys())
async def test_fals_own_word_about_a_status(fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """A 5xx tells nothing about the request, whoever signs it: it is asked for again. A 4xx ends the wait."""
    fal.script("status", *[fault] * 5)
    if fault is FALS_WORD["a refusal"]:
        assert (await failure_of(as_a_stage_does(engine, egress, MemoryCall()))).code == "engine_error"
    else:
        await as_a_stage_does(engine, egress, MemoryCall())
    assert fal.posts == 1


@pytest.mark.parametrize(("header", "units"), [("2.25", 2.25), ("", None), ("nan", None), ("many", None)])
async def test_the_bill(header: str, units: float | None, fal: FalEmulator, engine: FalEngine) -> None:
    """What fal bills is passed on; where it does not say so in a number, it is not made up."""
    fal.outcome = Answer(200, {"images": [{"url": "https://v3.fal.media/x"}]}, {"X-Fal-Billable-Units": header})
    made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
    assert made.cost is not None
    assert made.cost.units == units


async def hangs(_: Way) -> Answer | None:
    await asyncio.Event().wait()
    return DROP


@pytest.mark.parametrize("kind", ["status", "result"])
async def test_out_of_time(kind: Kind, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """A call that hangs ends with our own deadline, and fal is told to stop."""
    fal.script(kind, hangs)
    failure = await failure_of(as_a_stage_does(make_engine(deadline_s=0.3), egress, MemoryCall()))
    assert str(failure) == "The image model was not done within 0.3 s: try again later."
    assert failure.code == "engine_timeout"
    await soon(fal.cancel_asked)
    assert fal.posts == 1


@pytest.mark.parametrize("kind", ["status", "result"])
async def test_a_look_that_hangs(
    kind: Kind, fal: FalEmulator, engine: FalEngine, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up before the call is, and another one taken."""
    monkeypatch.setattr(queue, "LOOK_S", 0.2)
    fal.script(kind, hangs)
    await as_a_stage_does(engine, egress, MemoryCall())
    assert fal.posts == 1


async def test_never_done(fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """A request that waits in fal's queue for ever ends with our own deadline, and is cancelled there."""
    fal.queue_s = 1e9
    failure = await failure_of(as_a_stage_does(make_engine(deadline_s=0.3), egress, MemoryCall()))
    assert failure.code == "engine_timeout"
    await soon(fal.cancel_asked)
