"""From a prompt to a finished painting."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deployments.engines.local.scenery import city, coast, landscapes, space, street, studio, weather
from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.commission import Commission, Scene, Weather, commission
from deployments.engines.local.scenery.fields import Rng
from deployments.engines.local.scenery.palette import palette
from deployments.engines.local.words import PromptWords, unknown_note
from deployments.media.sizes import Size

_Brush = Callable[[Canvas], None]

_SCENES: dict[Scene, _Brush] = {
    Scene.STUDIO: studio.paint_studio,
    Scene.OFFICE: studio.paint_office,
    Scene.MOUNTAINS: landscapes.paint_mountains,
    Scene.LAKE: landscapes.paint_lake,
    Scene.SEA: coast.paint_sea,
    Scene.BEACH: coast.paint_beach,
    Scene.CITY: city.paint_city,
    Scene.STREET: street.paint_street,
    Scene.FOREST: landscapes.paint_forest,
    Scene.DESERT: landscapes.paint_desert,
    Scene.MEADOW: landscapes.paint_meadow,
    Scene.WINTER: landscapes.paint_winter,
    Scene.SPACE: space.paint_space,
}

_WEATHER: dict[Weather, _Brush] = {
    Weather.FOG: weather.paint_fog,
    Weather.RAIN: weather.paint_rain,
    Weather.SNOW: weather.paint_snowfall,
}
"""What is painted over the scene; clouds and stars are part of its sky."""


@dataclass(frozen=True, slots=True)
class Painting:
    """`image` is RGB; `notes` say in plain sentences what was painted, and which words had no effect."""

    image: Image.Image
    notes: tuple[str, ...]


def paint(prompt: str, size: Size) -> Painting:
    """Paints what `prompt` asks for, exactly `size` (width, height) pixels, at least 32 each way.

    The same prompt and size give the same picture, bit for bit; other prompts give others. Any text is a prompt.
    """
    words = PromptWords(prompt)
    wanted = commission(words)
    canvas = Canvas.blank(size, palette(wanted), _dice(prompt))
    _SCENES[wanted.scene](canvas)
    for kind, brush in _WEATHER.items():
        if kind in wanted.weather:
            brush(canvas)
    return Painting(canvas.image(), _notes(wanted, words.unknown))


def _dice(prompt: str) -> Rng:
    return np.random.default_rng(list(hashlib.sha256(prompt.encode(errors="surrogatepass")).digest()))


def _notes(wanted: Commission, unknown: tuple[str, ...]) -> tuple[str, ...]:
    painted = f"Painted by the embedded local engine, which is not a generative model: {wanted}."
    return (painted, *unknown_note(unknown))
