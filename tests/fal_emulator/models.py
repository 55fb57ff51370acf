"""The emulator's models: they check what they are sent as strictly as fal's do, and paint something in shape.

What is made of a prompt bears its mark, which no encoding takes away: a cut-out can be traced to the prompt behind it.
"""

import base64
import hashlib
import io
from typing import Any

from PIL import Image, ImageDraw

from tests.fal_emulator.schemas import RATIOS, SCHEMAS, SIZES, Schema

Size = tuple[int, int]

_TILES = (8, 8)


class Unprocessable(Exception):
    """A 422 with these details."""

    def __init__(self, kind: str, place: str, message: str) -> None:
        super().__init__(kind)
        self.body = {"detail": [{"loc": ["body", place], "msg": message, "type": kind, "url": f"https://docs/{kind}"}]}


def paint(endpoint: str, arguments: dict[str, Any]) -> bytes:
    """The model's PNG: cut-outs have a transparent rim, and the size of what was cut where that was sent along.

    Raises:
        Unprocessable: the arguments are not what the model takes.
    """
    schema = SCHEMAS[endpoint]
    _check(schema, arguments)
    size = _size(schema, arguments)
    if schema.output == "images":
        return marked(arguments["prompt"], size)
    image = Image.new("RGBA", size)
    ImageDraw.Draw(image).ellipse((size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1]), "tomato")
    return _png(image)


def marked(text: str, size: Size) -> bytes:
    """An opaque PNG with the mark of `text`: black and white tiles, at least some pixels large."""
    tiles = Image.frombytes("1", _TILES, mark_of(text))
    return _png(tiles.convert("RGB").resize(size, Image.Resampling.NEAREST))


def mark_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[: _TILES[0] * _TILES[1] // 8]


def mark_in(data_uri: str) -> bytes:
    """The mark that the picture bears."""
    tiles = _opened(data_uri).convert("L").resize(_TILES, Image.Resampling.BOX)
    return tiles.convert("1", dither=Image.Dither.NONE).tobytes()


def pictures_in(endpoint: str, arguments: dict[str, Any]) -> list[str]:
    """The picture URLs among the arguments."""
    schema = SCHEMAS[endpoint]
    return [arguments[schema.one]] if schema.one else list(arguments[schema.many]) if schema.many else []


def _check(schema: Schema, arguments: dict[str, Any]) -> None:
    for name in schema.required - arguments.keys():
        raise Unprocessable("missing", name, "Field required")
    for name in arguments.keys() - schema.fields:
        raise Unprocessable("extra_forbidden", name, f"{name} is not taken")
    if schema.prompt and not isinstance(arguments["prompt"], str):
        raise Unprocessable("string_type", "prompt", "Input should be a valid string")
    if schema.many and not (
        isinstance(arguments[schema.many], list) and 1 <= len(arguments[schema.many]) <= schema.most
    ):
        raise Unprocessable("too_long", schema.many, f"List should have 1 to {schema.most} items")


def _size(schema: Schema, arguments: dict[str, Any]) -> Size:
    asked = arguments.get(schema.size) if schema.size else None
    if isinstance(asked, dict):
        return max(1, asked["width"] // 16), max(1, asked["height"] // 16)
    if asked is not None:
        known = RATIOS if schema.size == "aspect_ratio" else SIZES
        if asked not in known:
            raise Unprocessable("one_of", str(schema.size), f"Input should be one of {sorted(known)}")
        return known[asked]
    source = arguments.get(schema.one) if schema.one else None
    if isinstance(source, str) and source.startswith("data:"):
        return _opened(source).size
    return 64, 64


def _opened(data_uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data_uri.partition(",")[2])))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
