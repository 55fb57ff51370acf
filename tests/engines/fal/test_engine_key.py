"""The key leaves the process in one header, towards fal, and nowhere else."""

import asyncio
import logging
import pickle
import traceback

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import TaskFailed
from deployments.media.images import encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.engines.fal.making import MakeEngine
from tests.engines.fal.photos import noise
from tests.fal_emulator.emulator import KEY, FalEmulator, Fault, answers, does_and_drops
from tests.fal_emulator.network import Network

SECRETS = (KEY, *KEY.split(":"))
ECHO = {"detail": [{"loc": [], "msg": "no", "type": "value_error", "input": f"Key {KEY}"}]}

SUBMITS: dict[str, list[Fault]] = {
    "taken": [],
    "unknown": [does_and_drops],
    "refused": [answers(401, {"detail": f"Key {KEY} is not valid"})],
    "echoed": [answers(422, ECHO)],
    "echoed by a gateway": [answers(500, {"detail": KEY})],
    "busy": [answers(429, {"detail": KEY})] * 8,
}


def assert_no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("faults", SUBMITS.values(), ids=SUBMITS.keys())
async def test_the_key_is_shown_nowhere(
    faults: list[Fault], fal: FalEmulator, make_engine: MakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a log line of any library at any level, a message, a traceback, a pickle or a `repr`."""
    caplog.set_level(logging.DEBUG)
    engine = make_engine()
    fal.script("submit", *faults)
    photo = Picture(data=encode(noise((1800, 1800))))  # goes through fal's storage, which has a token of its own
    shown: list[object] = [engine]
    try:
        shown.append(await engine.portrait("me", [photo], AspectRatio.SQUARE, MemoryCall()))
    except TaskFailed as error:
        shown.append(error)
        shown.extend(pickle.loads(pickle.dumps(error)).args)  # noqa: S301 - our own
        assert_no_secret("".join(traceback.format_exception(error)))
    assert_no_secret("\n".join(repr(thing) + str(thing) for thing in shown))
    records = [f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.records]
    assert any("queue.fal.run" in record for record in records)
    assert_no_secret("\n".join(records))


async def test_the_key_goes_to_fal_alone(fal: FalEmulator, network: Network, engine: FalEngine) -> None:
    """It authorises requests to the queue; result files and public schemas are asked for without it."""
    made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
    assert made.picture.url is not None
    holders = {asked.host for asked in fal.asked if any(KEY in value for value in asked.headers.values())}
    assert holders == {"queue.fal.run"}


async def test_no_task_of_ours_holds_it_in_its_name(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """What asyncio shows of running tasks has no key in it either."""
    fal.queue_s, call = 1e9, MemoryCall()
    running = asyncio.create_task(make_engine().background("hills", AspectRatio.SQUARE, call))
    await call.reported.wait()
    assert_no_secret("\n".join(repr(task) for task in asyncio.all_tasks()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
