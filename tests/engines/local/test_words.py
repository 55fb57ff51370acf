"""The promises of deployments.engines.local.words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deployments.engines.local.words import PromptWords

_SCENES = {"beach": "shore", "city": "town", "sea": "water", "milkyway": "space", "box": "box"}
_COLOURS = {"seagreen": "green", "green": "lawn"}


def test_known_words_are_taken_in_order() -> None:
    """Meanings come in the prompt's order, each once, and what is left is unknown."""
    words = PromptWords("A dragon at the sea, near a city by the SEA!")
    assert words.take(_SCENES) == ("water", "town")
    assert words.unknown == ("dragon",)


@pytest.mark.parametrize(("written", "meaning"), [("beaches", "shore"), ("cities", "town"), ("seas", "water")])
def test_plurals_are_understood(written: str, meaning: str) -> None:
    """A vocabulary holds singulars only."""
    assert PromptWords(written).take(_SCENES) == (meaning,)


@pytest.mark.parametrize("written", ["milky way", "Milky-Way", "milkyway"])
def test_phrases_are_found_in_any_spelling(written: str) -> None:
    """The words of a phrase may stand apart, hyphenated or together."""
    words = PromptWords(written)
    assert words.take(_SCENES) == ("space",)
    assert words.unknown == ()


def test_the_longest_phrase_wins() -> None:
    """ "sea green" is one colour, not another one after a word about water."""
    words = PromptWords("sea green")
    assert words.take(_COLOURS) == ("green",)
    assert words.take(_SCENES) == ()


def test_a_word_is_taken_once() -> None:
    """What one vocabulary has taken, the next one does not see."""
    words = PromptWords("sea")
    words.take(_SCENES)
    assert words.take(_SCENES) == ()


def test_no_more_meanings_are_taken_than_wanted() -> None:
    """Words beyond the limit stay for others, or unknown; repetitions of what is taken do not."""
    words = PromptWords("sea, city, sea and beach")
    assert words.take(_SCENES, most=1) == ("water",)
    assert words.unknown == ("city", "beach")


def test_finding_takes_nothing() -> None:
    """`find` only looks."""
    words = PromptWords("sea")
    assert words.find(_SCENES) == ("water",)
    assert words.unknown == ("sea",)


@pytest.mark.parametrize(
    ("prompt", "described"),
    [
        ("green", [("lawn", "")]),
        ("a green", [("lawn", "")]),
        ("a green dragon", [("lawn", "dragon")]),
        ("green and sea green beach umbrellas on a wall", [("lawn", "umbrellas"), ("green", "umbrellas")]),
        ("green, a dragon", [("lawn", "")]),
        ("green and a dragon", [("lawn", "")]),
        ("a dragon in green", [("lawn", "dragon")]),
        ("a dragon in green and sea green", [("lawn", "dragon"), ("green", "dragon")]),
        ("in green", [("lawn", "")]),
        ("all in green", [("lawn", "")]),
        ("a green abstract background", [("lawn", "background")]),
    ],
)
def test_an_adjective_describes_the_noun_beside_it(prompt: str, described: list[tuple[str, str]]) -> None:
    """What follows it up to a stop word or the end of the clause, or what stands before "in"."""
    adjectives = PromptWords(prompt).take_adjectives(_COLOURS)
    assert [(adjective.meaning, adjective.noun) for adjective in adjectives] == described


def test_an_adjective_without_effect_is_given_back() -> None:
    """The one that had some stays understood."""
    words = PromptWords("a sea green dragon at the green sea")
    dragons, _ = words.take_adjectives(_COLOURS)
    words.give_back(dragons)
    assert words.unknown == ("sea", "green", "dragon")


def test_a_phrase_does_not_reach_over_a_comma() -> None:
    """ "The sea, green" is no sea green."""
    words = PromptWords("the sea, green")
    assert words.take(_COLOURS) == ("lawn",)
    assert words.take(_SCENES) == ("water",)


@pytest.mark.parametrize("prompt", ["no city", "without a city", "not the city"])
def test_a_negated_word_is_not_understood(prompt: str) -> None:
    """Whoever wants no city is not given one, and is told that this had no effect."""
    words = PromptWords(prompt)
    assert words.take(_SCENES) == ()
    assert words.unknown == (prompt.replace(" a ", " ").replace(" the ", " "),)


def test_unknown_words_leave_out_stop_words_and_repetitions() -> None:
    """The list holds what carries a meaning, in order, each word once."""
    assert PromptWords("with the cat and a dog and the cat's cat").unknown == ("cat", "dog", "cats")


@pytest.mark.parametrize(
    ("prompt", "unknown"), [("海边 日落", ("海边", "日落")), ("🦄 שלום", ("🦄", "שלום")), ("!?… -- ", ())]
)
def test_words_of_any_script_and_emoji_count(prompt: str, unknown: tuple[str, ...]) -> None:
    """What is not English is reported as not understood instead of being dropped in silence."""
    assert PromptWords(prompt).unknown == unknown


@example("lone \ud800 surrogate, \u202e turned, \x00 nothing, \u0378 unassigned")
@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_is_read(prompt: str) -> None:
    """No text raises, lone surrogates included, and what is reported can be printed."""
    words = PromptWords(prompt)
    words.take(_SCENES)
    assert all(word and word.isprintable() for word in words.unknown)
