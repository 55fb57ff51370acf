"""What is understood of a prompt, and that the notes say so."""

import pytest

from deployments.engines.local.scenery import paint
from tests.engines.local.scenery.scenes import SCENES

_NOT_GENERATIVE = "Painted by the embedded local engine, which is not a generative model: "


@pytest.mark.parametrize(("scene", "prompt"), [(scene, prompt) for scene in SCENES for prompt in SCENES[scene]])
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


def test_a_second_time_of_day_is_admitted() -> None:
    """A picture has one light."""
    assert paint("the sea at night and at noon", (32, 32)).notes[1].endswith("no effect: noon.")


def test_many_and_long_unknown_words_are_cut_short() -> None:
    """A note stays a sentence, whatever the prompt."""
    note = paint(" ".join(["x" * 100, *(f"word{number}" for number in range(19))]), (32, 32)).notes[1]
    assert "x" * 23 + "…, word0" in note
    assert note.endswith("word10 and 8 more.")
