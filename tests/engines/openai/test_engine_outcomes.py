"""Whatever becomes of a call to an images API: charged at most once, and told as what it is."""

from base64 import b64encode
from collections.abc import Awaitable

import pytest
from PIL import Image

from deployments.engines.base import Made
from deployments.engines.memory_call import MemoryCall
from deployments.engines.openai.engine import FREE_TRIES, OpenAIEngine
from deployments.engines.submits import SUBMIT_TRIES
from deployments.errors import EngineOutcomeUnknown, EngineTimeout, NotCharged, TaskFailed
from deployments.media.images import encode
from deployments.media.sizes import AspectRatio
from tests.engines.openai.making import FREE, MakeEngine
from tests.fal_emulator.emulator import Fault, answers, does_and_drops, does_and_hangs, drops, truncates
from tests.fal_emulator.http import Answer
from tests.openai_emulator.emulator import KEY, OpenAIEmulator, error

NGINX = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


PNG = encode(Image.new("RGB", (64, 64)))
PICTURE = {"b64_json": b64encode(PNG).decode()}


def says(answer: Answer) -> Fault:
    async def fault(_: object) -> Answer:
        return answer

    return fault


def background(engine: OpenAIEngine, call: MemoryCall) -> Awaitable[Made]:
    return engine.background("hills", AspectRatio.SQUARE, call)


async def failure_of(verb: Awaitable[Made]) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        await verb
    return caught.value


LOST: dict[str, Fault] = {
    "dropped before it was taken": drops,
    "dropped after it was taken": does_and_drops,
    "truncated": truncates,
    "408": says(error(408, None)),
    "500 of a gateway": answers(500, NGINX),
    "502 of a gateway": answers(502, NGINX, Content_Type="text/html"),
    "503 of a gateway": answers(503, NGINX, Retry_After="1"),
    "504 of a gateway": answers(504, b""),
    "404 of a gateway": answers(404, NGINX),
    "no JSON": answers(200, b"<!doctype html>"),
    "a list": answers(200, []),
    "no gzip": answers(200, b"garbage", Content_Encoding="gzip"),
}
ONWARD: dict[str, Fault] = {
    "401": says(error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")),
    "402": answers(402, b""),
    "403": says(error(403, None)),
    "no money": says(error(400, "billing_hard_limit_reached")),
    "no quota": says(error(429, "insufficient_quota")),
}
BUSY: dict[str, Fault] = {
    "429": says(error(429, "rate_limit_exceeded", Retry_After="1")),
    "429 of a gateway": answers(429, NGINX),
    "503": says(error(503, None)),
    "503 of vLLM-Omni": answers(503, {"detail": "The queue is full."}, Retry_After="2"),
}
ENDS: dict[str, tuple[Answer, str, str]] = {
    "moderation": (error(400, "moderation_blocked", "rejected by the safety system"), "content_rejected", "safety"),
    "policy": (error(400, "content_policy_violation"), "content_rejected", "change the prompt"),
    "no picture": (error(400, "invalid_image_file"), "invalid_image", "another one"),
    "too large": (error(413, None), "invalid_image", "smaller"),
    "400": (error(400, "invalid_value", "see http://10.0.0.1/x at 127.0.0.1:80"), "engine_error", "(see at)"),
    "409": (error(409, None), "engine_error", "engine_options.models.background"),
    "no such model": (error(404, "model_not_found"), "engine_error", "choose another one"),
    "500": (error(500, "server_error"), "engine_error", "broke down"),
    "400 of FastAPI": (Answer(422, {"detail": [{"msg": "no"}]}), "engine_error", "does not take"),
    "an error that is a text": (Answer(400, {"error": "no such size"}), "engine_error", "no such size"),
    "no pictures": (Answer(200, {"data": []}), "engine_error", "holds no picture"),
    "no data": (Answer(200, {}), "engine_error", "holds no picture"),
    "bad data": (Answer(200, {"data": [{"b64_json": "@@@"}]}), "engine_error", "holds no picture"),
    "data that is no ASCII": (Answer(200, {"data": [{"b64_json": "ö"}]}), "engine_error", "holds no picture"),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_a_lost_answer_is_an_unknown_outcome(fault: Fault, server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """Where a server charges, nobody pays for finding out: the call is sent once, by all attempts together."""
    call = MemoryCall()
    server.script(fault)
    assert type(await failure_of(background(engine, call))) is EngineOutcomeUnknown
    assert type(await failure_of(background(engine, call.next_attempt()))) is EngineOutcomeUnknown
    assert server.posts == 1


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_a_lost_answer_that_costs_nothing(fault: Fault, server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """The call is repeated; three times in all, then another engine may be asked."""
    server.strict = False
    server.script(*[fault] * (FREE_TRIES - 1))
    await background(make_engine(**FREE), MemoryCall())
    assert server.posts == FREE_TRIES
    server.script(*[fault] * 20)
    assert isinstance(await failure_of(background(make_engine(**FREE), MemoryCall())), NotCharged)
    assert server.posts == 2 * FREE_TRIES


async def test_a_breakdown_that_costs_nothing(server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """It is repeated too."""
    server.strict = False
    server.script(says(error(500, "server_error")))
    await background(make_engine(**FREE), MemoryCall())
    assert server.posts == 2


@pytest.mark.parametrize("fault", ONWARD.values(), ids=ONWARD.keys())
async def test_an_account_that_is_refused(fault: Fault, server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """Nothing was taken: another engine may be asked, and the key is not shown."""
    call = MemoryCall()
    server.script(fault)
    failure = await failure_of(background(engine, call))
    assert isinstance(failure, NotCharged)
    assert "OPENAI_API_KEY" in str(failure)
    assert KEY not in str(failure)
    assert (server.posts, call.claimed) == (1, False)


@pytest.mark.parametrize("fault", BUSY.values(), ids=BUSY.keys())
async def test_a_full_queue(fault: Fault, server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """It is waited out; without end, another engine may be asked."""
    server.script(fault, fault)
    await background(engine, MemoryCall())
    assert (server.posts, len(server.calls)) == (3, 1)
    server.script(*[fault] * 20)
    call = MemoryCall()
    assert isinstance(await failure_of(background(engine, call)), NotCharged)
    assert (server.posts, len(server.calls), call.claimed) == (3 + SUBMIT_TRIES, 1, False)


async def test_nobody_listens(make_engine: MakeEngine) -> None:
    """Nothing was sent; the message names no host."""
    call = MemoryCall()
    failure = await failure_of(background(make_engine(base_url="http://127.0.0.1:9"), call))
    assert isinstance(failure, NotCharged)
    assert (str(failure), call.claimed) == ("The image model cannot be reached: try again later.", False)


async def test_a_server_that_has_moved(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """A redirect is not followed: the key must not go anywhere else."""
    server.script(answers(307, b"", Location="http://127.0.0.1:9/v1/images/generations"))
    failure = await failure_of(background(engine, MemoryCall()))
    assert (failure.code, isinstance(failure, NotCharged), server.posts) == ("engine_error", False, 1)
    assert "base_url" in str(failure)


@pytest.mark.parametrize(("outcome", "code", "said"), ENDS.values(), ids=ENDS.keys())
async def test_the_servers_own_word_ends_it(
    outcome: Answer, code: str, said: str, server: OpenAIEmulator, engine: OpenAIEngine
) -> None:
    """It is on record as the receipt: a later attempt reads the same, and asks nobody; no other engine may be asked."""
    server.outcome = outcome
    call = MemoryCall()
    failure = await failure_of(background(engine, call))
    assert (failure.code, isinstance(failure, NotCharged)) == (code, False)
    assert said in str(failure)
    assert not any(part in str(failure) for part in ("://", "127.0.0.1", KEY))
    assert str(await failure_of(background(engine, call.next_attempt()))) == str(failure)
    assert server.posts == 1


@pytest.mark.parametrize(
    "more",
    [{"usage": {"total_tokens": 100.5}}, {"usage": []}, {"usage": "none"}, {"error": False}, {"data": [PICTURE, 7]}],
)
async def test_a_picture_is_taken_whatever_comes_with_it(
    more: dict[str, object], server: OpenAIEmulator, engine: OpenAIEngine
) -> None:
    """It has been paid for."""
    server.script(answers(200, {"data": [PICTURE], **more}))
    made = await background(engine, MemoryCall())
    assert made.picture.data == PNG


async def test_a_refusal_without_a_message_is_one(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """Its code says enough."""
    server.script(answers(400, {"error": {"message": None, "type": None, "code": "moderation_blocked"}}))
    assert (await failure_of(background(engine, MemoryCall()))).code == "content_rejected"


async def test_the_answer_is_the_receipt(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """What was paid for is there for the next attempt, whatever becomes of this one; nothing is made ready again."""
    call = MemoryCall()
    made = await background(engine, call)
    assert await background(engine, call.next_attempt()) == made
    assert server.posts == 1


@pytest.mark.parametrize("receipt", ["fal-ai/flux/dev/requests/1", "", "{}", "[]"])
async def test_a_receipt_of_another_engine(receipt: str, server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """It is refused, and nothing is asked."""
    assert (await failure_of(background(engine, MemoryCall(receipt=receipt)))).code == "engine_error"
    assert server.posts == 0


async def test_out_of_time(server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """What is charged for may have been made: unknown. What is free has taken too long; that is no reason to go on."""
    server.script(does_and_hangs)
    assert type(await failure_of(background(make_engine(deadline_s=0.2), MemoryCall()))) is EngineOutcomeUnknown
    server.strict = False
    server.script(does_and_hangs)
    assert type(await failure_of(background(make_engine(**FREE, deadline_s=0.2), MemoryCall()))) is EngineTimeout


async def test_an_answer_without_end(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """It is not kept in memory: what is far larger than a picture may be is given up."""
    server.outcome = Answer(200, b"x" * 30_000_000)
    assert type(await failure_of(background(engine, MemoryCall()))) is EngineOutcomeUnknown
