"""What the stages do with encoded pictures: bring them to the shape that was asked, and put one on another.

All of it is CPU work: call it in a thread. What an engine made and is already as it should be keeps its bytes.
"""

from PIL import Image, ImageOps

from deployments.errors import EngineError, InvalidImage
from deployments.media import images
from deployments.media.compose import compose
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
        EngineError: it is no picture, or nothing of it is transparent.
    """
    image = _made(data, limits)
    if images.is_opaque(image):
        raise EngineError("The image model returned a picture without transparency; try again, or try another photo.")
    if _is_png_in(data, image, ratio):
        return data
    return images.encode(_in_ratio(image, ratio))


def has_no_transparency(data: bytes, limits: PictureLimits) -> bool:
    """Whether the picture has no pixel with alpha below 255.

    Raises:
        InvalidImage: `data` is no picture.
    """
    return images.is_opaque(images.decode(data, limits))


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
    background: bytes, person: bytes, size: Size, *, x: float, y: float, scale: float, limits: PictureLimits
) -> bytes:
    """The person on the background, as `compose` places them, as a PNG of exactly `size`.

    Raises:
        InvalidImage: one of the two is no picture.
    """
    plate, cut_out = images.decode(background, limits), images.decode(person, limits)
    return images.encode(compose(plate, cut_out, size, x, y, scale))


def _made(data: bytes, limits: PictureLimits) -> Image.Image:
    try:
        return images.decode(data, limits)
    except InvalidImage as error:
        raise EngineError("The image model returned something that is no usable picture; try again.") from error


def _is_png_in(data: bytes, image: Image.Image, ratio: AspectRatio | None) -> bool:
    return images.sniff(data) == "image/png" and (ratio is None or _has_ratio(image, ratio))


def _has_ratio(image: Image.Image, ratio: AspectRatio) -> bool:
    return abs(image.width / image.height / ratio.quotient - 1) <= RATIO_TOLERANCE


def _in_ratio(image: Image.Image, ratio: AspectRatio | None) -> Image.Image:
    if ratio is None or _has_ratio(image, ratio):
        return image
    return images.crop_to_ratio(image, ratio.quotient)
