"""The one place that decodes pictures, and what every stage does to pixels. Every picture that comes in is hostile.

A decoded picture is a Pillow image in mode RGB (its format says that it is opaque) or RGBA, upright, in sRGB, and
without metadata. Nothing here touches a global of Pillow or of `warnings`, so all of it may run in threads.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from deployments.errors import InvalidImage
from deployments.media import pixels
from deployments.media.containers import jpeg, png, webp
from deployments.media.containers.container import Claim, Container
from deployments.media.sizes import Size


class _Format(NamedTuple):
    """How a format's files are taken apart, and what decodes them then.

    Not Image.open: it guesses among formats, and its guard against bombs is a global that only warns.
    """

    claim: Callable[[bytes], Claim | None]
    read: Callable[[bytes], Container]
    decoder: type[ImageFile.ImageFile]


_FORMATS: Mapping[str | None, _Format] = MappingProxyType(
    {
        "image/png": _Format(png.claim, png.read, PngImageFile),
        "image/jpeg": _Format(jpeg.claim, jpeg.read, JpegImageFile),
        "image/webp": _Format(webp.claim, webp.read, WebPImageFile),
    }
)
_MOST_REDUCED = 8  # times on each side, which is what JPEG's decoder can do


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a single encoded picture may weigh, and the pixels (width times height) that are decoded of it at most.

    Only a JPEG may have more pixels: it is then decoded at a half, a quarter or an eighth of its sides.
    """

    bytes: int = 20 * 1024 * 1024
    pixels: int = 40_000_000


def sniff(head: bytes) -> str | None:
    """The media type that the first 12 bytes of a file tell, if it is one of the three that we take."""
    if head.startswith(png.SIGNATURE):
        return "image/png"
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def check(data: bytes, limits: PictureLimits) -> None:
    """Lets a picture pass that is not too large, as far as its header tells. It takes no time worth a thread.

    Raises:
        InvalidImage: it is too large, or not a PNG, JPEG or WebP.
    """
    claim = _format_of(data, limits).claim(data)
    if claim is not None:
        _refuse_bomb(claim, limits)


def decode(data: bytes, limits: PictureLimits, side: int | None = None) -> Image.Image:
    """The picture in `data`; of an animated one, the first frame.

    A JPEG is decoded smaller, at a half, a quarter or an eighth, where it has more pixels than `limits` allow, or where
    its longer side still has `side` pixels then.

    Raises:
        InvalidImage: too large, not a PNG, JPEG or WebP, or damaged.
    """
    read, decoder = _format_of(data, limits)[1:]
    with _damaged_unless_said_otherwise():
        container = read(data)
        _refuse_bomb(container.claim, limits)
        return pixels.decoded(container, decoder, _reduction(container.claim, limits, side))


def size_of(data: bytes, limits: PictureLimits) -> Size:
    """Width and height of the picture in `data` as it is seen, whatever it is decoded to.

    Raises:
        InvalidImage: as `decode`, though pixels are not looked at.
    """
    read = _format_of(data, limits).read
    with _damaged_unless_said_otherwise():
        return read(data).upright_size


def encode(image: Image.Image) -> bytes:
    """`image` as a PNG. Compression level 1 takes half the time of the default, for files a little larger."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def is_opaque(image: Image.Image) -> bool:
    """Whether no pixel of `image` (RGB or RGBA) has alpha below 255."""
    return "A" not in image.getbands() or not any(image.getchannel("A").histogram()[:255])


def flattened(image: Image.Image) -> Image.Image:
    """`image` (RGB or RGBA) as RGB, on white."""
    if image.mode == "RGB":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image)
    return flat


def crop_to_ratio(image: Image.Image, ratio: float) -> Image.Image:
    """The largest middle part of `image` that is `ratio` (width divided by height) in shape, to the nearest pixel.

    The ratio is met within 1 % wherever the part's shorter side has 50 pixels.
    """
    width = max(1, min(image.width, round(image.height * ratio)))
    height = max(1, min(image.height, round(image.width / ratio)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _format_of(data: bytes, limits: PictureLimits) -> _Format:
    if len(data) > limits.bytes:
        raise InvalidImage(f"The picture is larger than {limits.bytes / 2**20:g} MB: send a smaller file.")
    found = _FORMATS.get(sniff(data))
    if found is None:
        raise InvalidImage("The picture is not a PNG, JPEG or WebP file: send it in one of these formats.")
    return found


def _refuse_bomb(claim: Claim, limits: PictureLimits) -> None:
    """Goes by the header alone: a few bytes can claim gigabytes of pixels."""
    most = int(limits.pixels * claim.leeway)
    if claim.pixels > most:
        raise InvalidImage(f"The picture has more than {most:,} pixels: send a smaller one.")


def _reduction(claim: Claim, limits: PictureLimits, side: int | None) -> int:
    """By what both sides are divided."""
    times = 1
    while claim.leeway > 1 and times < _MOST_REDUCED:
        spare = side is not None and max(claim.size) >= 2 * times * side
        if claim.pixels <= limits.pixels * times**2 and not spare:
            break
        times *= 2
    return times


@contextmanager
def _damaged_unless_said_otherwise() -> Iterator[None]:
    try:
        yield
    except InvalidImage:
        raise
    except Exception as error:  # Pillow raises whatever its parsers stumble over, SyntaxError and struct.error included
        raise InvalidImage("The picture is damaged and cannot be read: send it again, or send another one.") from error
