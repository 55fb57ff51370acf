"""The engine of the benchmarks: it takes no time, or exactly as long as the prompt says."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from benchmarks import task
from deployments.engines.base import EngineContext, Made, PaidCall
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio


class InstantEngine:
    """See `deployments.engines.base.Engine`; chosen by `engine: benchmarks.engine:InstantEngine`."""

    name: ClassVar = "instant"
    generative: ClassVar = False
    blends: ClassVar = False

    def __init__(self, _context: EngineContext) -> None:
        self._made = Made(Picture(data=task.picture()))

    async def portrait(self, prompt: str, _photos: Sequence[Picture], _ratio: AspectRatio, _call: PaidCall, /) -> Made:
        if seconds := task.hold_s(prompt):
            await asyncio.sleep(seconds)
        return self._made

    async def background(self, _prompt: str, _ratio: AspectRatio, _call: PaidCall, /) -> Made:
        return self._made

    async def cut_out(self, picture: Picture, _call: PaidCall, /) -> Made:
        return Made(picture)

    async def blend(self, _prompt: str, composite: Picture, _call: PaidCall, /) -> Made:
        return Made(composite)
