"""The local engine, except where the prompt's first word names a fault or another way to make the picture."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from PIL import Image

from deployments.engines.base import EngineContext, Made, PaidCall
from deployments.engines.local.engine import LocalEngine
from deployments.errors import TaskFailed
from deployments.media.images import encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio

OPAQUE_CUT_OUT = encode(Image.new("RGB", (64, 64), "magenta"))
"""A portrait from which `cut_out` cuts nothing out."""


async def raises(_: str) -> bytes:
    raise RuntimeError("an engine's own error, with a secret: hunter2")


async def fails(code: str) -> bytes:
    """As the `TaskFailed` with that code."""
    raise next(kind for kind in TaskFailed.__subclasses__() if kind.code == code)("The engine says so.")


async def hangs(grave: str) -> bytes:
    """Until it is cancelled; then it makes the file `grave`."""
    try:
        await asyncio.Event().wait()
    finally:
        os.close(os.open(grave, os.O_CREAT))
    raise AssertionError("unreachable")


async def dies(_: str) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


async def dies_once(grave: str) -> bytes:
    """`grave` is a file that does not exist yet."""
    try:
        os.close(os.open(grave, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return await instant("")
    return await dies("")


async def garbage(_: str) -> bytes:
    return b"\x89PNG\r\n\x1a\n and then nothing that makes sense"


async def html(_: str) -> bytes:
    return b"<!doctype html><title>502 Bad Gateway</title>"


async def instant(_: str) -> bytes:
    return encode(Image.new("RGB", (64, 64), "teal"))


async def opaque_cut_out(_: str) -> bytes:
    return OPAQUE_CUT_OUT


FAULTS: dict[str, Callable[[str], Awaitable[bytes]]] = {
    fault.__name__: fault for fault in (raises, fails, hangs, dies, dies_once, garbage, html, instant, opaque_cut_out)
}


class ByPrompt:
    """See `deployments.engines.base.Engine`. `elsewhere URL` gives the picture as a URL, as paid providers do."""

    name: ClassVar = "by-prompt"
    generative: ClassVar = False
    blends: ClassVar = False

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._local = LocalEngine(context)

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall) -> Made:
        if picture := await _by_prompt(prompt):
            for photo in photos:
                await photo.read(self._context.egress, self._context.limits.bytes)
            return Made(picture)
        return await self._local.portrait(prompt, photos, ratio, call)

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        if picture := await _by_prompt(prompt):
            return Made(picture)
        return await self._local.background(prompt, ratio, call)

    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        return Made(picture) if picture.data == OPAQUE_CUT_OUT else await self._local.cut_out(picture, call)

    async def blend(self, prompt: str, composite: Picture, call: PaidCall) -> Made:
        return await self._local.blend(prompt, composite, call)


async def _by_prompt(prompt: str) -> Picture | None:
    first, _, rest = prompt.partition(" ")
    if first == "elsewhere":
        return Picture(url=rest)
    return Picture(data=await FAULTS[first](rest)) if first in FAULTS else None
