"""A person placed on a background, exactly: a client that follows the same rules previews every pixel.

The rules are the API's own: cover the canvas with the background, scale the person, round its corner to whole pixels,
paste through its transparency. Pictures are RGB or RGBA, as `deployments.media.images.decode` returns them.
"""

from math import floor

from PIL import Image, ImageOps

from deployments.media.enlarge import enlarge
from deployments.media.images import flattened
from deployments.media.sizes import Size

_WHOLE_PIXELS = 1 << 22
"""An enlargement of more pixels than this is made only where it shows: from about here on, that is faster too."""


def compose(  # noqa: PLR0913, PLR0917 (the API's overlay has these six)
    background: Image.Image, person: Image.Image, size: Size, x: float, y: float, scale: float
) -> Image.Image:
    """`person`, `scale` times its own size, with its top-left corner at `x`, `y` of a canvas of `size` (RGB).

    The background covers the canvas, centred and cropped; where it is transparent itself, the canvas is white. What
    lies beyond the canvas is cut off.
    """
    canvas = flattened(ImageOps.fit(background, size, Image.Resampling.BICUBIC))
    placed = _placed(person, size, x, y, scale)
    if placed:
        scaled, corner = placed
        canvas.paste(scaled, corner, scaled if scaled.mode == "RGBA" else None)
    return canvas


def person_mask(person: Image.Image, size: Size, x: float, y: float, scale: float) -> Image.Image:
    """The canvas of the same `compose` call in mode L: white where the person is, black where it is not."""
    mask = Image.new("L", size, 0)
    placed = _placed(person, size, x, y, scale)
    if placed:
        scaled, (left, top) = placed
        box = (left, top, left + scaled.width, top + scaled.height)
        mask.paste(255, box, scaled if scaled.mode == "RGBA" else None)
    return mask


def _placed(person: Image.Image, size: Size, x: float, y: float, scale: float) -> tuple[Image.Image, Size] | None:
    """The scaled person, at least as much of it as shows, and where its top-left corner goes; None if nothing shows."""
    width, height = (max(1, floor(pixels * scale + 0.5)) for pixels in person.size)
    left, top = floor(x + 0.5), floor(y + 0.5)
    window = (max(0, -left), max(0, -top), min(width, size[0] - left), min(height, size[1] - top))
    if window[0] >= window[2] or window[1] >= window[3]:
        return None
    if width * height <= max(_WHOLE_PIXELS, person.width * person.height):
        return person.resize((width, height), Image.Resampling.BICUBIC), (left, top)
    return enlarge(person, (width, height), window), (left + window[0], top + window[1])
