"""The engine that pays: generative models on fal.ai, through fal-client."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from fal_client import AsyncClient
from pydantic import JsonValue

from deployments.engines import prompts
from deployments.engines.base import EngineContext, Made, PaidCall, Verb
from deployments.engines.fal.call import FalRequests, Order
from deployments.engines.fal.inputs import Inputs
from deployments.engines.fal.lost import LOOK_FOR_S, LostRequests
from deployments.engines.fal.models import Model
from deployments.engines.fal.options import FalOptions
from deployments.engines.fal.outputs import picture_in
from deployments.engines.fal.queue import LOOK_S, FalQueue
from deployments.engines.submits import Sleep
from deployments.errors import SettingsError
from deployments.media import images
from deployments.media.destinations import parse_allow_hosts
from deployments.media.picture import Picture
from deployments.media.results import has_no_transparency
from deployments.media.sizes import AspectRatio, Size
from deployments.settings import Environment

PHOTO_SIDE = 2048
"""Photos that we send ourselves are shrunk to it, in pixels: more than the models look at."""


class FalEngine:
    """See `deployments.engines.base.Engine`, and `FalOptions` for `engine_options`. Results stay URLs.

    Raises:
        SettingsError: an option is wrong, or `FAL_KEY` holds no key.
    """

    name: ClassVar = "fal"
    generative: ClassVar = True
    blends: bool = True

    @classmethod
    def check(cls, options: Mapping[str, object], environment: Environment) -> None:
        """Refuses wrong options, and a missing key.

        Raises:
            SettingsError: one line that names the setting.
        """
        FalOptions.parse(options)
        _key_in(environment)

    @classmethod
    def lacks(cls, verb: Verb, options: Mapping[str, object]) -> str | None:
        """Why it cannot do a verb; None where it can."""
        if verb is Verb.BLEND and not FalOptions.parse(options).blend:
            return "its option `blend` is false"
        return None

    def __init__(self, context: EngineContext, *, sleep: Sleep = asyncio.sleep, look_s: float = LOOK_S) -> None:
        options = FalOptions.parse(context.options)
        environment = context.environment
        fal = AsyncClient(_key_in(environment), default_timeout=options.submit_s)
        queue = self._queue = FalQueue(
            fal,
            store_io=options.store_io,
            keep_files_s=options.keep_files_s,
            submit_s=options.submit_s,
            look_s=look_s,
        )
        allow = parse_allow_hosts(environment.aige_allow_hosts)
        self.blends = options.blend
        self._models = options.models
        self._context = context
        look_for_s = min(LOOK_FOR_S, options.deadline_s / 2)
        lost = LostRequests(fal, sleep, look_for_s) if options.find_lost else None
        self._calls = FalRequests(queue, options.deadline_s, sleep, lost)
        self._inputs = Inputs(fal, context.egress, context.limits, allow, options.keep_files_s)

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall) -> Made:
        used = photos[: self._models.portrait.images_taken]
        made = await self._made(
            Verb.PORTRAIT, call, pictures=used, prompt=prompts.portrait_prompt(prompt), size=ratio.pixels
        )
        if len(used) == len(photos):
            return made
        return replace(made, notes=(f"Of the photos, the model took the first {len(used)} only.",))

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        return await self._made(Verb.BACKGROUND, call, prompt=prompts.background_prompt(prompt), size=ratio.pixels)

    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        """A URL is trusted to lead to an opaque picture. Nothing is shrunk: the cut-out has to have the same size."""
        if picture.data is not None and not await self._is_opaque(picture.data):
            return Made(picture)
        return await self._made(Verb.CUT_OUT, call, pictures=[picture], longest_side=None)

    async def blend(self, prompt: str, composite: Picture, call: PaidCall) -> Made:
        size = await self._size_of(composite)
        return await self._made(Verb.BLEND, call, pictures=[composite], prompt=prompts.blend_prompt(prompt), size=size)

    async def erase(self, receipt: str, /) -> bool:
        """See `deployments.engines.base.Engine`."""
        return await self._queue.erase(receipt)

    async def _made(  # noqa: PLR0913 - all that the four verbs differ in
        self,
        verb: Verb,
        call: PaidCall,
        *,
        pictures: Sequence[Picture] = (),
        prompt: str | None = None,
        size: Size | None = None,
        longest_side: int | None = PHOTO_SIDE,
    ) -> Made:
        model: Model = getattr(self._models, verb)
        setting = f"{self._context.options_at}.models.{verb}"

        async def arguments() -> dict[str, JsonValue]:
            return model.arguments(prompt, size, await self._inputs.urls(pictures, longest_side))

        order = Order(model.endpoint, setting, arguments, self._inputs.hands_on_links(pictures))
        result, cost = await self._calls.result(order, call)
        return Made(picture_in(result, model.output, setting), cost=cost)

    async def _is_opaque(self, data: bytes) -> bool:
        return await asyncio.to_thread(has_no_transparency, data, self._context.limits)

    async def _size_of(self, picture: Picture) -> Size:
        data = await picture.read(self._context.egress, self._context.limits.bytes)
        return (await asyncio.to_thread(images.decode, data, self._context.limits)).size


def _key_in(environment: Environment) -> str:
    key = environment.fal_key.get_secret_value().strip() if environment.fal_key else ""
    if not re.fullmatch(r"[!-~]+", key):  # HTTP libraries quote the header values that they do not like in their errors
        raise SettingsError("FAL_KEY: the fal engine needs a key, as fal.ai gave it; set it in the environment")
    return key
