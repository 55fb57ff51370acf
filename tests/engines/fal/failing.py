"""Answers of fal's that are no good, and what becomes of a task that gets one."""

import asyncio
from collections.abc import Awaitable

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.results import opaque_result
from deployments.media.sizes import AspectRatio
from tests.fal_emulator.emulator import Way
from tests.fal_emulator.http import DROP, Answer

LIMITS = PictureLimits()
HTML = b"<!doctype html><title>502 Bad Gateway</title>nginx"


def model_error(status: int, kind: str, message: str = "no") -> Answer:
    return Answer(status, {"detail": [{"loc": ["body"], "msg": message, "type": kind, "input": "the prompt"}]})


def result(**body: object) -> Answer:
    return Answer(200, body)


def picture_at(url: object) -> Answer:
    return result(images=[{"url": url}])


async def as_a_stage_does(engine: FalEngine, egress: Egress, call: MemoryCall) -> bytes:
    made = await engine.background("hills", AspectRatio.SQUARE, call)
    data = await made.picture.read(egress, LIMITS.bytes)
    return opaque_result(data, AspectRatio.SQUARE, LIMITS)


async def failure_of(working: Awaitable[bytes]) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        await working
    return caught.value


async def hangs(_: Way) -> Answer | None:
    await asyncio.Event().wait()
    return DROP
