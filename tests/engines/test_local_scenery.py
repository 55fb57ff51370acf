"""The promises of deployments.engines.local.scenery."""

import colorsys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ImageColor

from deployments.engines.local.scenery import paint
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
        ("light blue and golden sea", "the sea, in lightblue and gold"),
        ("sea green studio", "a studio backdrop, in seagreen"),
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


@settings(max_examples=40, deadline=None)
@example("lone \ud800 surrogate, \u202e turned, \x00 nothing", 32, 32)
@example("\ufdfa海🦄שׁ" * 1000, 32, 32)
@given(st.text(st.characters(codec=None), max_size=400), st.integers(32, 120), st.integers(32, 120))
def test_any_text_is_a_prompt(prompt: str, width: int, height: int) -> None:
    """No text and no size raises, and notes can be printed."""
    painting = paint(prompt, (width, height))
    assert painting.image.size == (width, height)
    assert all(note.isprintable() for note in painting.notes)
