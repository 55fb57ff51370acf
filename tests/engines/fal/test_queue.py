"""A status or a result that cannot be read is read again; only fal's own word ends the wait."""

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.media.egress import Egress
from tests.engines.fal.failing import HTML, as_a_stage_does, failure_of, hangs
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import FalEmulator, Fault, Kind, answers, drops, truncates

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


@pytest.mark.parametrize("kind", ["status", "result"])
async def test_a_look_that_hangs(kind: Kind, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """It is given up before the call is, and another one taken."""
    fal.script(kind, hangs)
    await as_a_stage_does(make_engine(look_s=0.2), egress, MemoryCall())
    assert fal.posts == 1
