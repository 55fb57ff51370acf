"""Reading a prompt word by word: what a vocabulary knows of it, and what nobody understood."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

_Meaning = TypeVar("_Meaning")

_LONGEST_PHRASE = 3
"""Words in the longest entry of any vocabulary, such as "light goldenrod yellow"."""

_MOST_LISTED, _LONGEST_LISTED = 12, 24
"""Of words in a note, and of letters in each of them."""

_WORD_CATEGORIES = frozenset({"So"})  # emoji count as words: whoever sends one means something by it
_WORD_CLASSES = frozenset("LMN")
_AND = frozenset({"and", "or"})
_APOSTROPHES = re.compile("['\u2019]")
_NEGATED = re.compile(r"\b(no|not|without) (?:(?:a|an|any|the) )?(?=[^\s|])")
_NEGATION_MARK = "\N{NO-BREAK SPACE}"
_BREAKS = frozenset(".,;:!?()[]/|\n。、")
_BREAK = "|"
"""Stands between the words where a clause ends."""

_STOP_WORDS = """
    a about above across after against all along also am an and any are around as at be been before behind being below
    beneath beside between but by can could did do does during each every few for from front had has have he her here
    hers him his how i if in inside into is it its just like many me more most much my near next no not of off on onto
    or our out outside over own please should side so some such than that the their them then there these they this
    those through to together top towards under until up upon us very was we were what when where which while who whose
    will with within without would you your
"""
_PICTURE_WORDS = "background backgrounds image images picture pictures scene scenery scenes view views"
PICTURE_WORDS = frozenset(_PICTURE_WORDS.split())
"""Stop words too; but one may describe them: "a blue background"."""

STOP_WORDS = frozenset(_STOP_WORDS.split()) | PICTURE_WORDS


class Adjective(NamedTuple, Generic[_Meaning]):
    """A word or phrase that describes a noun.

    The noun is the last word of what follows, "umbrella" in "a red and white beach umbrella", or else the one before
    "in", "woman" in "a woman in red". It is "" where there is none.
    """

    meaning: _Meaning
    noun: str
    place: slice


class PromptWords:
    """The words of one prompt, in order; whoever understands some of them takes them.

    Vocabularies are keyed by lower-case singular words; a phrase is keyed without its spaces ("milkyway"), so that it
    is found in either spelling, but not across a comma. A negated word ("no clouds", "without fog") is one word that no
    vocabulary knows.
    """

    def __init__(self, prompt: str) -> None:
        self._words = _words_of(prompt)
        self._taken = [False] * len(self._words)

    def find(self, vocabulary: Mapping[str, _Meaning]) -> tuple[_Meaning, ...]:
        """What `vocabulary` makes of the words that nobody has taken yet, in the prompt's order, each meaning once."""
        return tuple(dict.fromkeys(meaning for _, meaning in self._matches(vocabulary)))

    def take(self, vocabulary: Mapping[str, _Meaning], most: int | None = None) -> tuple[_Meaning, ...]:
        """The same, but only the first `most` meanings, and their words are understood from now on."""
        meanings = self.find(vocabulary)[:most]
        for run, meaning in tuple(self._matches(vocabulary)):
            if meaning in meanings:
                self._taken[run] = [True] * (run.stop - run.start)
        return meanings

    def take_adjectives(self, vocabulary: Mapping[str, _Meaning]) -> tuple[Adjective[_Meaning], ...]:
        """Takes all that `vocabulary` knows, in the prompt's order, each with the word that it describes."""
        found = tuple(self._matches(vocabulary))
        places = frozenset(place for run, _ in found for place in range(run.start, run.stop))
        for run, _ in found:
            self._taken[run] = [True] * (run.stop - run.start)
        return tuple(
            Adjective(meaning, self._noun_after(run, places) or self._noun_before(run, places), run)
            for run, meaning in found
        )

    def give_back(self, adjective: Adjective[_Meaning]) -> None:
        """It has had no effect: its words are unknown again."""
        self._taken[adjective.place] = [False] * (adjective.place.stop - adjective.place.start)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The words that nobody has taken, without stop words, each once, printable."""
        left = (word for word, taken in zip(self._words, self._taken, strict=True) if not taken)
        shown = (word.replace(_NEGATION_MARK, " ") for word in left if word not in STOP_WORDS and word != _BREAK)
        return tuple(dict.fromkeys(shown))

    def _noun_after(self, run: slice, adjectives: frozenset[int]) -> str:
        place = run.stop
        while place in adjectives or (self._word(place) in _AND and place + 1 in adjectives):
            place += 1
        noun = ""
        while self._carries_meaning(place):
            noun, place = self._word(place), place + 1
        return noun

    def _noun_before(self, run: slice, adjectives: frozenset[int]) -> str:
        place = run.start - 1
        while place in adjectives or (self._word(place) in _AND and place - 1 in adjectives):
            place -= 1
        return self._word(place - 1) if self._word(place) == "in" and self._carries_meaning(place - 1) else ""

    def _word(self, place: int) -> str:
        """A break where there is none."""
        return self._words[place] if 0 <= place < len(self._words) else _BREAK

    def _carries_meaning(self, place: int) -> bool:
        word = self._word(place)
        return word in PICTURE_WORDS or not (word in STOP_WORDS or word == _BREAK)

    def _matches(self, vocabulary: Mapping[str, _Meaning]) -> Iterator[tuple[slice, _Meaning]]:
        start = 0
        while start < len(self._words):
            run, key = self._longest_match(start, vocabulary)
            if key is not None:
                yield run, vocabulary[key]
            start = run.stop

    def _longest_match(self, start: int, vocabulary: Mapping[str, object]) -> tuple[slice, str | None]:
        for length in range(_LONGEST_PHRASE, 0, -1):
            run = slice(start, start + length)
            if len(self._words[run]) < length or any(self._taken[run]):
                continue
            key = next((form for form in _singulars("".join(self._words[run])) if form in vocabulary), None)
            if key is not None:
                return run, key
        return slice(start, start + 1), None


def unknown_note(unknown: Sequence[str]) -> tuple[str, ...]:
    """The note on words that had no effect, as a caller reads it; none where there are none."""
    if not unknown:
        return ()
    listed = ", ".join(map(_clipped, unknown[:_MOST_LISTED]))
    more = f" and {len(unknown) - _MOST_LISTED} more" if len(unknown) > _MOST_LISTED else ""
    return (f"These words of the prompt were not understood and had no effect: {listed}{more}.",)


def _clipped(word: str) -> str:
    return word if len(word) <= _LONGEST_LISTED else word[: _LONGEST_LISTED - 1] + "…"


def _words_of(prompt: str) -> list[str]:
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", prompt).casefold())
    spaced = " ".join("".join(map(_spelled, text)).split())
    return _NEGATED.sub(rf"\1{_NEGATION_MARK}", spaced).split(" ") if spaced else []


def _spelled(letter: str) -> str:
    """What becomes of one letter of a prompt."""
    if letter in _BREAKS:
        return f" {_BREAK} "
    category = unicodedata.category(letter)
    return letter if category[0] in _WORD_CLASSES or category in _WORD_CATEGORIES else " "


def meaning_of(word: str, vocabulary: Mapping[str, _Meaning]) -> _Meaning | None:
    """What `vocabulary` knows of one word, which may be a plural."""
    return next((vocabulary[form] for form in _singulars(word) if form in vocabulary), None)


def _singulars(word: str) -> Iterator[str]:
    """`word`, and what it may be the English plural of."""
    yield word
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("ies"):
        yield word[:-3] + "y"
