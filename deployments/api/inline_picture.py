"""Pictures that travel inside a request, as base64: bare, or in a data URI (RFC 2397)."""

import base64
import re

_HEAD_CHARACTERS = 4096
"""How far the head of a data URI, its type and parameters, may reach."""

_DATA_URI = re.compile(r"\s*data:", re.IGNORECASE)
_BASE64_FOLLOWS = re.compile(r";\s*base64\s*,", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]{0,30}):", re.IGNORECASE)
_ESCAPED = {f"%{ord(char):02{case}}": char for char in "+/=-_ \t\r\n" for case in "Xx"}
"""What encoders write with percent signs. `unquote` takes seconds for a picture that is full of them."""
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class NotInline(ValueError):
    """The text holds no picture that can be read; says in one sentence what is wrong with it."""


def inline_picture(text: str) -> bytes:
    """The bytes in `text`: base64 of either alphabet (RFC 4648, sections 4 and 5), with or without padding.

    White space is ignored wherever it stands. A data URI may have any parameters; what is no letter or digit in its
    base64 may be written with percent signs.

    Raises:
        NotInline: it is something else, or is damaged.
    """
    return _from_base64(_without_head(text))


def _without_head(text: str) -> str:
    """The base64 in `text`, which may be a data URI."""
    uri = _DATA_URI.match(text)
    if uri is None:
        if other := _OTHER_SCHEME.match(text):
            raise NotInline(f"A photo cannot be read from a '{other[1]}:' address: send an http(s) URL or base64.")
        return text
    head = text[:_HEAD_CHARACTERS]
    end = _BASE64_FOLLOWS.search(head)
    if end is None:
        raise NotInline("The data URI does not say ';base64,' after its type: only base64 is read.")
    media_type = head[uri.end() : end.start()].partition(";")[0].strip()
    if not media_type.lower().startswith("image/"):
        raise NotInline(f"The data URI is of the type '{media_type[:80]}': a photo's type begins with 'image/'.")
    return _unescaped(text[end.end() :])


def _unescaped(text: str) -> str:
    if "%" in text:
        for escape, char in _ESCAPED.items():
            text = text.replace(escape, char)
    return text


def _from_base64(text: str) -> bytes:
    digits = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if not digits:
        raise NotInline("The photo is empty.")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError:
        raise NotInline(_what_is_wrong_with(digits)) from None


def _what_is_wrong_with(digits: str) -> str:
    wrong = _NOT_BASE64.search(digits)
    if wrong is None:
        return "The base64 is cut off: one character is left over at its end."
    if wrong[0] == "=":
        return "The base64 goes on after its padding: send each picture by itself."
    place = f"Character {wrong.start() + 1} of the base64 (white space not counted)"
    return f"{place} is {wrong[0]!a}, which base64 does not have."
