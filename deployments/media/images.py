"""The one place that decodes pictures, and what every stage does to pixels. Every picture that comes in is hostile.

A decoded picture is a Pillow image in mode RGB (its format says that it is opaque) or RGBA, upright, in sRGB, and
without metadata. Nothing here touches a global of Pillow or of `warnings`, so all of it may run in threads.
"""

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from deployments.errors import InvalidImage

# Not Image.open: it guesses among formats, and its guard against bombs is a global that only warns.
_READERS: Mapping[str | None, type[ImageFile.ImageFile]] = MappingProxyType(
    {"image/png": PngImageFile, "image/jpeg": JpegImageFile, "image/webp": WebPImageFile}
)


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a single encoded picture may weigh, and the pixels (width times height) that it may claim."""

    bytes: int = 20 * 1024 * 1024
    pixels: int = 40_000_000


def sniff(head: bytes) -> str | None:
    """The media type that the first 12 bytes of a file tell, if it is one of the three that we take."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def decode(data: bytes, limits: PictureLimits) -> Image.Image:
    """The picture in `data`; of an animated one, the first frame.

    Raises:
        InvalidImage: too large, not a PNG, JPEG or WebP, or damaged.
    """
    if len(data) > limits.bytes:
        raise InvalidImage(f"The picture is larger than {limits.bytes / 2**20:g} MB: send a smaller file.")
    reader = _READERS.get(sniff(data))
    if reader is None:
        raise InvalidImage("The picture is not a PNG, JPEG or WebP file: send it in one of these formats.")
    try:
        with reader(io.BytesIO(data)) as image:
            _refuse_bomb(image, limits)
            return _normalised(image)
    except InvalidImage:
        raise
    except Exception as error:  # Pillow raises whatever its parsers stumble over, SyntaxError and struct.error included
        raise InvalidImage("The picture is damaged and cannot be read: send it again, or send another one.") from error


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


def _refuse_bomb(image: ImageFile.ImageFile, limits: PictureLimits) -> None:
    """Goes by the header alone: a few bytes can claim gigabytes of pixels."""
    if image.width * image.height > limits.pixels:
        raise InvalidImage(f"The picture has more than {limits.pixels:,} pixels: send a smaller one.")


def _normalised(image: ImageFile.ImageFile) -> Image.Image:
    """The pixels of `image` in one of the two modes, as its metadata means them, and nothing of that metadata."""
    image.load()
    with suppress(Exception):  # broken EXIF is common, and no reason to refuse a good photo
        ImageOps.exif_transpose(image, in_place=True)
    pixels = _in_eight_bits(image)
    plain = pixels.convert("RGBA" if pixels.has_transparency_data else "RGB")
    _to_srgb(plain, image.info.get("icc_profile"))
    plain.info.clear()
    return plain


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Pillow keeps 16-bit grey as it is, and would clip it; of every other 16-bit mode, it takes the high byte."""
    if image.mode != "I;16":
        return image
    deep = image.convert("I")  # the mode that `point` takes a table of 65,536 values for
    grey = deep.point([value >> 8 for value in range(1 << 16)], "L")
    key = grey.info.pop("transparency", None)
    if key is not None:
        grey.putalpha(deep.point([0 if value == key else 255 for value in range(1 << 16)], "L"))
    return grey


def _to_srgb(plain: Image.Image, profile: bytes | None) -> None:
    """Changes colours in place where `profile` is another RGB one (phones: Display P3); any other is ignored."""
    if not profile:
        return
    with suppress(ImageCms.PyCMSError, OSError):  # a broken profile is no reason to refuse a good photo either
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if not ImageCms.getProfileDescription(source).startswith("sRGB"):
            ImageCms.profileToProfile(plain, source, ImageCms.createProfile("sRGB"), inPlace=True)
