"""Every scene in every shape, time of day and colour."""

import colorsys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageColor

from deployments.engines.local.scenery import paint
from deployments.media.sizes import AspectRatio, Size
from tests.engines.local.scenery.scenes import SCENES

_SMALL = (128, 96)


def _brightness(prompt: str) -> float:
    return float(np.asarray(paint(prompt, _SMALL).image).mean())


def _mean_hue(prompt: str) -> float:
    red, green, blue = np.asarray(paint(prompt, _SMALL).image).reshape(-1, 3).mean(axis=0) / 255
    return colorsys.rgb_to_hsv(red, green, blue)[0]


@pytest.mark.parametrize("ratio", AspectRatio)
def test_pictures_have_exactly_the_pixels_of_their_ratio(ratio: AspectRatio) -> None:
    """The size asked for is the size made."""
    image = paint("mountains", ratio.pixels).image
    assert (image.mode, image.size) == ("RGB", ratio.pixels)


@pytest.mark.parametrize(
    "size", [(128, 128), (128, 72), (72, 128), (96, 128), (128, 96), (400, 32), (32, 400), (33, 47)]
)
@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_fits_every_shape(scene: str, size: Size) -> None:
    """No scene relies on a shape, not even on a sensible one."""
    image = paint(SCENES[scene][0], size).image
    assert (image.mode, image.size) == ("RGB", size)


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_prompt_gives_the_same_picture(scene: str) -> None:
    """A picture can be made again, bit for bit."""
    prompt = f"{SCENES[scene][0]} in the rain and snow and fog"
    assert paint(prompt, _SMALL).image.tobytes() == paint(prompt, _SMALL).image.tobytes()


@pytest.mark.parametrize("scene", SCENES)
def test_another_prompt_gives_another_picture(scene: str) -> None:
    """Words without a meaning still draw another variation."""
    word = SCENES[scene][0]
    assert paint(word, _SMALL).image.tobytes() != paint(f"{word} please", _SMALL).image.tobytes()


@pytest.mark.parametrize("scene", SCENES)
def test_night_is_darker_than_noon(scene: str) -> None:
    """The time of day is to be seen in every scene."""
    word = SCENES[scene][0]
    assert _brightness(f"{word} at night") < _brightness(f"{word} at noon") * 0.95


@pytest.mark.parametrize("colour", ["red", "gold", "green", "teal", "blue", "purple"])
@pytest.mark.parametrize("scene", SCENES)
def test_colours_steer_the_hue(scene: str, colour: str) -> None:
    """The mean hue comes within a sixth of the colour circle of the colour asked for."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    asked = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0]
    off = abs(_mean_hue(f"{colour} {SCENES[scene][0]}") - asked)
    assert min(off, 1 - off) < 1 / 6


def _share(pixels: NDArray[np.float64], hue: float, saturation: float) -> float:
    """Of `pixels` (..., 3) in 0..1, those stronger than `saturation` within a tenth of the colour circle of `hue`."""
    found = [colorsys.rgb_to_hsv(*pixel) for pixel in pixels.reshape(-1, 3)]
    return sum(1 for h, s, _ in found if min(abs(h - hue), 1 - abs(h - hue)) < 0.1 and s > saturation) / len(found)


_RED, _GREEN, _BLUE, _PINK = 0.0, 1 / 3, 0.58, 0.92


def _painted(prompt: str) -> NDArray[np.float64]:
    return np.asarray(paint(prompt, (160, 90)).image) / 255


@pytest.mark.parametrize(
    "prompt", ["a street with neon signs", "a city with neon lights", "a street with pink neon signs"]
)
def test_neon_shines_in_the_dark_and_leaves_the_rest_as_it_is(prompt: str) -> None:
    """It is an accent: a little of the picture is bright and strong in colour, most of it is night."""
    pixels = _painted(prompt)
    bright_and_strong = (pixels.max(axis=2) > 0.6) & (np.ptp(pixels, axis=2) > 0.35)
    assert 0.002 < bright_and_strong.mean() < 0.2
    assert _share(pixels, _PINK, 0.4) < 0.2
    assert np.median(pixels) < 0.35


def test_neon_has_the_colours_asked_for() -> None:
    """ "Green" means as neon shines, which CSS's green does not."""
    pixels = _painted("a street with green neon signs")
    strong = pixels[(pixels.max(axis=2) > 0.7) & (np.ptp(pixels, axis=2) > 0.5)]
    assert len(strong) > 20
    assert _share(strong, _GREEN, 0.5) > 0.9


def test_flowers_have_their_own_colour() -> None:
    """And the meadow stays green."""
    pixels = _painted("a meadow with red flowers")
    assert 0.001 < _share(pixels, _RED, 0.6) < 0.1
    assert _share(pixels[60:], _GREEN, 0.3) > 0.5


def test_the_sky_has_its_own_colour() -> None:
    """And the land below keeps its own."""
    pixels = _painted("a meadow under a pink sky")
    assert _share(pixels[:30], _PINK, 0.05) > 0.8
    assert _share(pixels[60:], _GREEN, 0.15) > 0.4


def test_a_blue_sky_is_not_violet() -> None:
    """As CSS's blue is, in the lightness of a sky."""
    assert _share(_painted("a meadow under a blue sky")[:30], _BLUE, 0.2) > 0.8


@settings(max_examples=40, deadline=None)
@example("lone \ud800 surrogate, \u202e turned, \x00 nothing", 32, 32)
@example("\ufdfa海🦄שׁ" * 1000, 32, 32)
@given(st.text(st.characters(codec=None), max_size=400), st.integers(32, 120), st.integers(32, 120))
def test_any_text_is_a_prompt(prompt: str, width: int, height: int) -> None:
    """No text and no size raises, and notes can be printed."""
    painting = paint(prompt, (width, height))
    assert painting.image.size == (width, height)
    assert all(note.isprintable() for note in painting.notes)
