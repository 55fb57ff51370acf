"""What the stages do with encoded pictures: bring them to the shape that was asked, and put one on another.

All of it is CPU work: call it in a thread. What an engine made and is already as it should be keeps its bytes.
"""

import sys
from dataclasses import replace

from PIL import Image, ImageOps

from deployments.errors import EngineError, InvalidImage
from deployments.media import images
from deployments.media.compose import Placement, compose
from deployments.media.images import PictureLimits
from deployments.media.sizes import AspectRatio, Size

RATIO_TOLERANCE = 0.01


def opaque_result(data: bytes, ratio: AspectRatio, limits: PictureLimits) -> bytes:
    """What an engine made, as an opaque PNG in `ratio`.

    Raises:
        EngineError: it is no picture.
    """
    image = _made(data, limits)
    if image.mode == "RGB" and _is_png_in(data, image, ratio):
        return data
    return images.encode(_in_ratio(images.flattened(image), ratio))


def cut_out_result(data: bytes, ratio: AspectRatio | None, limits: PictureLimits) -> bytes:
    """What an engine cut out, as a PNG with transparency, in `ratio` if one is given.

    Raises:
        EngineError: it is no picture, or nothing of it is transparent in that ratio, or all of it.
    """
    image = _made(data, limits)
    shaped = _in_ratio(image, ratio)
    if images.is_opaque(shaped):
        raise EngineError(
            "The image model returned a picture without transparency: try another photo or another ratio, or try again."
        )
    if shaped.getchannel("A").getbbox() is None:
        raise EngineError("The image model returned an empty picture; try again, or try another photo.")
    return data if _is_png_in(data, image, ratio) else images.encode(shaped)


def has_no_transparency(data: bytes, limits: PictureLimits) -> bool:
    """Whether the picture has no pixel with alpha below 255.

    Raises:
        InvalidImage: `data` is no picture.
    """
    return images.is_opaque(images.decode(data, limits, side=1))  # what can be decoded smaller has no transparency


def opacity_and_size(data: bytes, limits: PictureLimits) -> tuple[bool, Size]:
    """Whether the picture has no pixel with alpha below 255, and its own size, whatever it is decoded to.

    Raises:
        InvalidImage: `data` is no picture.
    """
    return has_no_transparency(data, limits), images.size_of(data, limits)


def blended_result(data: bytes, size: Size, limits: PictureLimits) -> bytes:
    """What an engine blended, as an opaque PNG of exactly `size`.

    Raises:
        EngineError: it is no picture.
    """
    image = _made(data, limits)
    if image.mode == "RGB" and image.size == size and images.sniff(data) == "image/png":
        return data
    return images.encode(ImageOps.fit(images.flattened(image), size, Image.Resampling.BICUBIC))


def overlay_result(  # noqa: PLR0913 - an overlay has that many
    background: bytes,
    person: bytes,
    size: Size,
    *,
    placement: Placement,
    limits: PictureLimits,
    person_size: Size | None = None,
) -> bytes:
    """The person on the background, as `compose` places them, as a PNG of exactly `size`.

    `person_size` is that of the picture which the caller named. What was cut out of it may be smaller: the picture was
    too large to decode whole, or a model has a size of its own. It counts where the shape is still the same.

    Raises:
        InvalidImage: one of the two is no picture.
    """
    limits = _of_pixels_only(limits)
    plate, cut_out = images.decode(background, limits), images.decode(person, limits)
    own_size = person_size if person_size and _same_shape(cut_out.size, person_size) else images.size_of(person, limits)
    return images.encode(compose(plate, cut_out, size, placement, own_size))


def _made(data: bytes, limits: PictureLimits) -> Image.Image:
    try:
        return images.decode(data, _of_pixels_only(limits))
    except InvalidImage as error:
        raise EngineError("The image model returned something that is no usable picture; try again.") from error


def _of_pixels_only(limits: PictureLimits) -> PictureLimits:
    """What is fetched was weighed then; a person who was cut out of a large photo may weigh more than the photo did."""
    return replace(limits, bytes=sys.maxsize)


def _is_png_in(data: bytes, image: Image.Image, ratio: AspectRatio | None) -> bool:
    return images.sniff(data) == "image/png" and (ratio is None or _has_ratio(image, ratio))


def _same_shape(one: Size, other: Size) -> bool:
    """Whether one is the other, enlarged or reduced, and rounded to whole pixels."""
    across, down = one[0] / other[0], one[1] / other[1]
    return abs(across - down) <= 1 / other[0] + 1 / other[1]


def _has_ratio(image: Image.Image, ratio: AspectRatio) -> bool:
    return abs(image.width / image.height / ratio.quotient - 1) <= RATIO_TOLERANCE


def _in_ratio(image: Image.Image, ratio: AspectRatio | None) -> Image.Image:
    if ratio is None or _has_ratio(image, ratio):
        return image
    return images.crop_to_ratio(image, ratio.quotient)
