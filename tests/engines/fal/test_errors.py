"""Each error of a model or of fal ends as the documented code, with a message for the caller."""

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import NotCharged
from deployments.media.egress import Egress
from tests.engines.fal.failing import as_a_stage_does, failure_of, model_error, picture_at, result
from tests.fal_emulator.emulator import KEY, FalEmulator
from tests.fal_emulator.http import Answer

INTERNAL = "https://internal.fal.run/runner-7?token=secret"


def fal_error(status: int, kind: str) -> Answer:
    return Answer(status, {"detail": f"failed at {INTERNAL}", "error_type": kind})


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


@pytest.mark.parametrize(("outcome", "code", "words"), OUTCOMES.values(), ids=OUTCOMES.keys())
async def test_engine_outcomes(
    *, outcome: Answer, code: str, words: str, fal: FalEmulator, engine: FalEngine, egress: Egress
) -> None:
    """Whatever a model answers, a bad one has a code and a message without internal URLs; it is asked once."""
    fal.outcome = outcome
    failure = await failure_of(as_a_stage_does(engine, egress, MemoryCall()))
    assert failure.code == code
    assert words in str(failure)
    assert not {"://", "secret", KEY} & {part for part in ("://", "secret", KEY) if part in str(failure)}
    assert (fal.posts, next(iter(fal.requests.values())).result_reads) == (1, 1)


@pytest.mark.parametrize(
    ("outcome", "onward"),
    [
        (model_error(500, "internal_server_error"), True),
        (Answer(500, {"detail": "Internal Server Error"}), True),
        (fal_error(503, "runner_disconnected"), True),
        (Answer(500, {"detail": "x", "error_type": "y"}, {"X-Fal-Billable-Units": "0"}), True),
        (Answer(500, {"detail": "x", "error_type": "y"}, {"X-Fal-Billable-Units": "1.5"}), False),
        (model_error(504, "generation_timeout"), False),
        (fal_error(503, "startup_timeout"), False),
        (model_error(422, "content_policy_violation"), False),
        (model_error(422, "face_detection_error"), False),
        (model_error(422, "image_load_error"), False),
        (Answer(401, {"detail": "revoked"}), False),
        (Answer(400, {"detail": "x"}), False),
        (result(), False),
    ],
)
async def test_what_fal_charges_nothing_for(
    outcome: Answer, onward: bool, fal: FalEmulator, engine: FalEngine, egress: Egress
) -> None:
    """A 5xx in its own words that is no time-out and names no billed units: then alone may another engine be asked."""
    fal.outcome = outcome
    failure = await failure_of(as_a_stage_does(engine, egress, MemoryCall()))
    assert isinstance(failure, NotCharged) == onward


async def test_a_receipt_of_another_engine(fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """It is refused at once, and not asked for until the time is over."""
    call = MemoryCall(receipt="openai:{}")
    assert (await failure_of(as_a_stage_does(engine, egress, call))).code == "engine_error"
    assert fal.asked == []
