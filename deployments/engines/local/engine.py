"""The embedded engine: no key, no network, no download. It works on the caller's photo; it does not invent pictures.

What draws is imported where it is first needed: many processes import this module, and each draws one thing at most.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, TypeVar, TypeVarTuple

from deployments.engines.base import EngineContext, Made, PaidCall
from deployments.engines.local.words import PromptWords, unknown_note
from deployments.errors import NoPersonFound
from deployments.media.images import decode, encode, flattened, is_opaque
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, Size

if TYPE_CHECKING:
    from deployments.engines.local.styles import Style

_ENGINE = "by the embedded local engine, which is not a generative model"
_CUT_OUT = f"The person was cut out {_ENGINE}."

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")


class LocalEngine:
    """See `deployments.engines.base.Engine`. The same input gives the same pixels."""

    name: ClassVar = "local"
    generative: ClassVar = False
    blends: ClassVar = False

    def __init__(self, context: EngineContext) -> None:
        import cv2

        cv2.setNumThreads(1)  # as onnxruntime's: the threads below are the parallelism, one a core
        self._egress = context.egress
        self._limits = context.limits
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="local-engine")

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, _call: PaidCall) -> Made:
        """A cut-out of the first person found in `photos`, drawn in the style that `prompt` names."""
        style, unknown = await self._in_thread(_understood, prompt)
        for number, photo in enumerate(photos, start=1):
            data = await photo.read(self._egress, self._limits.bytes)
            drawn = await self._in_thread(self._portrait, data, style, ratio.pixels)
            if drawn is not None:
                return Made(Picture(drawn), _portrait_notes(style, unknown, number, len(photos)))
        raise NoPersonFound("No person was found in the photos: use one that shows a face clearly.")

    async def background(self, prompt: str, ratio: AspectRatio, _call: PaidCall) -> Made:
        return await self._in_thread(_painted, prompt, ratio.pixels)

    async def cut_out(self, picture: Picture, _call: PaidCall) -> Made:
        data = await picture.read(self._egress, self._limits.bytes)
        cut = await self._in_thread(self._cut_out, data)
        return Made(picture) if cut is None else Made(Picture(cut), (_CUT_OUT,))

    async def blend(self, _prompt: str, composite: Picture, _call: PaidCall) -> Made:
        return Made(composite)

    def _portrait(self, data: bytes, style: "Style", size: Size) -> bytes | None:
        """None where nobody is found."""
        from deployments.engines.local.portrait import draw_portrait

        try:
            return encode(draw_portrait(flattened(decode(data, self._limits)), style, size))
        except NoPersonFound:
            return None

    def _cut_out(self, data: bytes) -> bytes | None:
        """None where the picture is transparent already."""
        from deployments.engines.local.cutout import cut_out_people

        image = decode(data, self._limits)
        return encode(cut_out_people(image.convert("RGB"))) if is_opaque(image) else None

    async def _in_thread(self, work: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _understood(prompt: str) -> tuple["Style", tuple[str, ...]]:
    """The style that `prompt` asks for, and the words of it that mean nothing here."""
    from deployments.engines.local.styles import style_for

    words = PromptWords(prompt)
    return style_for(words), words.unknown


def _painted(prompt: str, size: Size) -> Made:
    from deployments.engines.local.scenery import paint

    painting = paint(prompt, size)
    return Made(Picture(encode(painting.image)), painting.notes)


def _portrait_notes(style: "Style", unknown: Sequence[str], number: int, photos: int) -> tuple[str, ...]:
    notes = [f"Made {_ENGINE}: it draws your photo {style.value}."]
    if photos > 1:
        notes.append(f"Only photo {number} of {photos} was used: this engine draws from one photo.")
    return (*notes, *unknown_note(unknown))
