"""The promises of deployments.engines.local.scenery."""

import colorsys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageColor

from deployments.engines.local.scenery import paint
from deployments.engines.local.scenery.colours import COLOURS
from deployments.media.sizes import AspectRatio, Size

_SMALL = (128, 96)

_NOT_GENERATIVE = "Painted by the embedded local engine, which is not a generative model: "

_SCENES = {
    "a studio backdrop": ["studio", "plain wall"],
    "an office out of focus": ["office", "a boardroom"],
    "mountains": ["mountain", "rocky peaks", "the Alps", "forest and mountains"],
    "a mountain lake": ["lake", "mountains and a lake", "rivers"],
    "the sea": ["sea", "oceans"],
    "a beach": ["beach", "beaches by the ocean", "tropical palms"],
    "a city skyline at the water": ["city", "cities", "skyline", "New York", "a city by the sea"],
    "a city street": ["street", "a street in the city", "avenues"],
    "a forest": ["forest", "woods", "trees"],
    "desert dunes": ["desert", "dunes"],
    "a meadow among hills": ["meadow", "wheat fields", "gardens"],
    "a winter landscape": ["winter", "arctic", "snow"],
    "outer space": ["space", "galaxies", "the Milky Way"],
}


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
@pytest.mark.parametrize("scene", _SCENES)
def test_every_scene_fits_every_shape(scene: str, size: Size) -> None:
    """No scene relies on a shape, not even on a sensible one."""
    image = paint(_SCENES[scene][0], size).image
    assert (image.mode, image.size) == ("RGB", size)


@pytest.mark.parametrize("scene", _SCENES)
def test_the_same_prompt_gives_the_same_picture(scene: str) -> None:
    """A picture can be made again, bit for bit."""
    prompt = f"{_SCENES[scene][0]} in the rain and snow and fog"
    assert paint(prompt, _SMALL).image.tobytes() == paint(prompt, _SMALL).image.tobytes()


@pytest.mark.parametrize("scene", _SCENES)
def test_another_prompt_gives_another_picture(scene: str) -> None:
    """Words without a meaning still draw another variation."""
    word = _SCENES[scene][0]
    assert paint(word, _SMALL).image.tobytes() != paint(f"{word} please", _SMALL).image.tobytes()


@pytest.mark.parametrize(("scene", "prompt"), [(scene, prompt) for scene in _SCENES for prompt in _SCENES[scene]])
def test_scene_words_are_understood(scene: str, prompt: str) -> None:
    """The notes say which scene was painted, and every word that chose it counts as understood."""
    first, *rest = paint(prompt, (32, 32)).notes
    assert first.removeprefix(_NOT_GENERATIVE).rstrip(".").split(",")[0] == scene
    assert all(word not in " ".join(rest) for word in ("mountain", "sea", "city", "ocean", "forest"))


@pytest.mark.parametrize(
    ("prompt", "painted"),
    [
        ("sea at dawn", "the sea at dawn"),
        ("sunrise over the sea", "the sea at dawn"),
        ("sea in the morning", "the sea in the morning"),
        ("sunny sea", "the sea at noon"),
        ("sea, evening", "the sea at sunset"),
        ("sea by moonlight", "the sea at night"),
        ("foggy sea", "the sea, with fog"),
        ("cloudy, rainy, snowy sea", "the sea, with clouds, rain and snow"),
        ("starry sea at night", "the sea at night, with stars"),
        ("teal sea", "the sea, in teal"),
        ("light blue and golden sea", "the sea, in light blue and gold"),
        ("sea green studio", "a studio backdrop, in sea green"),
        ("LightGoldenRodYellow studio", "a studio backdrop, in light goldenrod yellow"),
        ("mountains in lilac and scarlet", "mountains, in lilac and scarlet"),
        ("a bluish forest", "a forest, in blue"),
        ("a dark purple studio", "a studio backdrop, in dark purple"),
        ("pastel pink and navy blue studio", "a studio backdrop, in pastel pink and navy blue"),
        ("golden hour at the sea", "the sea at sunset"),
        ("a blue background", "a studio backdrop, in blue"),
        ("the sea in purple tones", "the sea, in purple"),
        ("orange sunset over the sea", "the sea at sunset, in orange"),
        ("a pink sky over the sea", "the sea, with a pink sky"),
        ("an orange sky", "a meadow among hills, with an orange sky"),
        ("a green meadow, clouds and a blue sky", "a meadow among hills, with clouds and a blue sky, in green"),
        ("a field of red and white poppies", "a meadow among hills, with red and white flowers"),
        ("neon signs on a street", "a city street, with neon lights"),
        ("a rainy street at night with pink neon lights", "a city street at night, with rain and pink neon lights"),
        ("blue and neon green signs in the city", "a city skyline at the water, with blue and green neon lights"),
        ("a neon green studio", "a studio backdrop, in neon green"),
        ("cyberpunk city", "a city skyline at the water, with neon lights"),
        ("neon background", "a studio backdrop, with neon lights"),
        ("sunset", "a meadow among hills at sunset"),
    ],
)
def test_the_notes_say_what_was_painted(prompt: str, painted: str) -> None:
    """Time, weather and colours are understood, in their usual forms, and said back."""
    assert paint(prompt, (32, 32)).notes == (f"{_NOT_GENERATIVE}{painted}.",)


def test_without_a_known_word_it_is_a_studio() -> None:
    """Nothing understood means a neutral backdrop, and the notes admit it."""
    assert paint("a flying unicorn", (32, 32)).notes == (
        f"{_NOT_GENERATIVE}a studio backdrop.",
        "These words of the prompt were not understood and had no effect: flying, unicorn.",
    )


def test_a_second_scene_that_is_not_shown_is_admitted() -> None:
    """A word that lost against another scene had no effect either."""
    assert paint("an office in the desert", (32, 32)).notes[1].endswith("no effect: desert.")


def test_a_third_colour_is_admitted() -> None:
    """Two colours steer a picture; a third one had no effect."""
    notes = paint("a red, green and blue sea", (32, 32)).notes
    assert notes == (
        f"{_NOT_GENERATIVE}the sea, in red and green.",
        "These words of the prompt were not understood and had no effect: blue.",
    )


@pytest.mark.parametrize(
    ("prompt", "painted", "unknown"),
    [
        ("a beach with a red umbrella", "a beach", "red, umbrella"),
        ("a woman in red on a beach", "a beach", "woman, red"),
        ("a man in a navy blue suit, in an office", "an office out of focus", "man, navy, blue, suit"),
        ("a sea green umbrella in the street", "a city street", "sea, green, umbrella"),
        ("the sea under white clouds", "the sea, with clouds", "white"),
        ("a beach with green palms", "a beach", "green"),
        ("a beach, neon", "a beach", "neon"),
    ],
)
def test_the_colour_of_what_is_not_painted_colours_nothing(prompt: str, painted: str, unknown: str) -> None:
    """A red umbrella paints no beach red, and the notes admit that it is not there."""
    assert paint(prompt, (32, 32)).notes == (
        f"{_NOT_GENERATIVE}{painted}.",
        f"These words of the prompt were not understood and had no effect: {unknown}.",
    )


def test_colours_are_called_as_people_call_them() -> None:
    """No name of CSS, which knows no spaces, is in the notes."""
    names = {COLOURS[css].name for css in ImageColor.colormap if css in COLOURS}
    assert {len(word) for name in names for word in name.split()} <= set(range(3, 11))
    assert {"deep pink", "light goldenrod yellow", "medium violet red", "dark slate grey", "seashell"} <= names
    assert all(COLOURS[css].name.replace(" ", "") == css for css in ImageColor.colormap if css in COLOURS)


def test_a_second_time_of_day_is_admitted() -> None:
    """A picture has one light."""
    assert paint("the sea at night and at noon", (32, 32)).notes[1].endswith("no effect: noon.")


def test_many_and_long_unknown_words_are_cut_short() -> None:
    """A note stays a sentence, whatever the prompt."""
    note = paint(" ".join(["x" * 100, *(f"word{number}" for number in range(19))]), (32, 32)).notes[1]
    assert "x" * 23 + "…, word0" in note
    assert note.endswith("word10 and 8 more.")


@pytest.mark.parametrize("scene", _SCENES)
def test_night_is_darker_than_noon(scene: str) -> None:
    """The time of day is to be seen in every scene."""
    word = _SCENES[scene][0]
    assert _brightness(f"{word} at night") < _brightness(f"{word} at noon") * 0.95


@pytest.mark.parametrize("colour", ["red", "gold", "green", "teal", "blue", "purple"])
@pytest.mark.parametrize("scene", _SCENES)
def test_colours_steer_the_hue(scene: str, colour: str) -> None:
    """The mean hue comes within a sixth of the colour circle of the colour asked for."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    asked = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0]
    off = abs(_mean_hue(f"{colour} {_SCENES[scene][0]}") - asked)
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
