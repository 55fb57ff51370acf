"""The colours that a prompt can name, and how people call them."""

import colorsys
import re
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ImageColor


@dataclass(frozen=True, slots=True)
class Colour:
    """`name` is as people say it, "light sea green"; `css` as CSS does: a name or a hexadecimal number."""

    name: str
    css: str


_MEANS_ELSE = frozenset({"peru", "snow"})

_SYNONYMS = {
    "golden": "gold",
    "bluish": "blue",
    "greenish": "green",
    "reddish": "red",
    "pinkish": "pink",
}
_MORE = {
    "blue": "#0b74d8",  # CSS's own is seen as violet on anything as large as a sky
    "darkblue": "#0b3a7a",
    "lilac": "plum",
    "rose": "palevioletred",
    "amber": "orange",
    "emerald": "mediumseagreen",
    "ruby": "crimson",
    "scarlet": "crimson",
    "burgundy": "maroon",
    "mint": "aquamarine",
    "peach": "peachpuff",
    "cream": "cornsilk",
    "pastel": "thistle",
    "charcoal": "darkslategray",
    "navyblue": "navy",
    "babyblue": "lightblue",
    "neonpink": "deeppink",
    "brightpink": "hotpink",
}

_ENDS = re.compile(
    "(?<=[a-z])(almond|aquamarine|blue|blush|brown|chiffon|coral|cream|cyan|drab|goldenrod|gr[ae]y|green|khaki|lace|"
    "magenta|olive|orange|orchid|pink|puff|purple|red|rose|salmon|sea|sky|slate|smoke|spring|steel|turquoise|violet|"
    "whip|white|yellow)"
)
"""Where a new word begins in a CSS name such as "lightgoldenrodyellow"."""

_SHADES = {"light": 0.45, "pale": 0.6, "soft": 0.35, "pastel": 0.6, "dark": -0.45, "deep": -0.3}
"""Words that make another colour of any: how far on the way to white, or, below 0, to black."""

_STRONG = ("bright", "vivid", "neon")


def _named() -> Iterator[tuple[str, Colour]]:
    """Each word or phrase, without its spaces, and its colour."""
    plain = {name: name for name in ImageColor.colormap if name not in _MEANS_ELSE} | _MORE
    names = {word: _ENDS.sub(r" \1", word) for word in plain}
    for word, css in plain.items():
        if names[word] == word and word != "pastel":
            for shade, share in _SHADES.items():
                yield shade + word, Colour(f"{shade} {word}", _shaded(css, share))
            for shade in _STRONG:
                yield shade + word, Colour(f"{shade} {word}", _strong(css))
    yield from ((word, Colour(names[word], css)) for word, css in plain.items())
    yield from ((word, Colour(name, name)) for word, name in _SYNONYMS.items())


def _shaded(css: str, share: float) -> str:
    aim = 255 if share > 0 else 0
    return _hexadecimal(*(round(value + (aim - value) * abs(share)) for value in ImageColor.getrgb(css)[:3]))


def _strong(css: str) -> str:
    """The same hue at its fullest; grey stays grey."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in ImageColor.getrgb(css)[:3]))
    fullest = colorsys.hls_to_rgb(hue, 0.55, 1.0) if saturation else (lightness,) * 3
    return _hexadecimal(*(round(value * 255) for value in fullest))


def _hexadecimal(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


COLOURS = dict(_named())
"""By the words that name them, as `PromptWords` looks them up."""


def as_neon(colour: Colour) -> Colour:
    """As a neon tube shines in it."""
    return COLOURS.get("neon" + colour.name.replace(" ", ""), colour)
