"""Pictures for the tests, and the contract's composition, written down once more from its text."""

import io
import struct
import zlib
from math import floor

from PIL import Image, ImageOps

RATIOS = {"1:1": 1.0, "16:9": 16 / 9, "9:16": 9 / 16, "3:4": 3 / 4, "4:3": 4 / 3}
CANVASES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}


def opened(data: bytes) -> Image.Image:
    """The picture in `data`, which must be a PNG."""
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    return image


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def scene(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """An opaque picture, no two parts of it alike."""
    down, around = Image.linear_gradient("L").resize(size), Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (down, around, down.transpose(Image.Transpose.ROTATE_180)))


def cut_out(size: tuple[int, int] = (300, 400)) -> Image.Image:
    """A person's stand-in: opaque in the middle, transparent outside, and every alpha between."""
    picture = scene(size).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture.putalpha(ImageOps.invert(Image.radial_gradient("L").resize(size)))
    return picture


def composed(  # noqa: PLR0917 - an overlay has that many
    background: Image.Image, person: Image.Image, canvas: tuple[int, int], x: float, y: float, scale: float
) -> Image.Image:
    """What the contract says that a client's preview shows."""
    picture = ImageOps.fit(background, canvas, Image.Resampling.BICUBIC)
    size = (max(1, floor(person.width * scale + 0.5)), max(1, floor(person.height * scale + 0.5)))
    scaled = person.resize(size, Image.Resampling.BICUBIC)
    picture.paste(scaled, (floor(x + 0.5), floor(y + 0.5)), scaled)
    return picture


def bomb() -> bytes:
    """A PNG of a hundred bytes that claims 2,500 million pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
