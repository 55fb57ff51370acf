"""Engines that make a service show all that there is to see of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from deployments.engines.base import Cost, EngineContext, Made, PaidCall
from deployments.errors import EngineError, EngineOutcomeUnknown, NotCharged
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.chaos.engine import PaidEngine


class BillingEngine(PaidEngine):
    """One whose provider says what it bills. Prompts with "unknown" or "broken" in them end so."""

    name: ClassVar = "billing"

    async def _paid(self, key: str, kind: str, call: PaidCall) -> Made:
        if "unknown" in key:
            raise EngineOutcomeUnknown.contact_lost()
        if "broken" in key:
            raise EngineError("The image model is broken; try again.")
        return replace(await super()._paid(key, kind, call), cost=Cost("billing/model", 1.5))


class BusyEngine:
    """See `deployments.engines.base.Engine`: takes nothing, ever."""

    name: ClassVar = "busy"
    generative: ClassVar = False
    blends: ClassVar = False

    def __init__(self, _context: EngineContext) -> None:
        pass

    async def portrait(self, _prompt: str, _photos: Sequence[Picture], _ratio: AspectRatio, _call: PaidCall, /) -> Made:
        raise NotCharged("The image model is busy: try again.", "it is busy")

    async def background(self, _prompt: str, _ratio: AspectRatio, _call: PaidCall, /) -> Made:
        raise NotCharged("The image model is busy: try again.", "it is busy")

    async def cut_out(self, _picture: Picture, _call: PaidCall, /) -> Made:
        raise NotCharged("The image model is busy: try again.", "it is busy")

    async def blend(self, _prompt: str, composite: Picture, _call: PaidCall, /) -> Made:
        return Made(composite)
