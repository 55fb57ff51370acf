"""A person placed on a background, exactly: a client that follows the same rules previews every pixel.

The rules are the API's own: cover the canvas with the background, scale the person, round its corner to whole pixels,
paste through its transparency. Pictures are RGB or RGBA, as `deployments.media.images.decode` returns them.
"""

from dataclasses import dataclass
from math import floor

from PIL import Image, ImageOps

from deployments.media.enlarge import enlarge
from deployments.media.images import flattened
from deployments.media.sizes import Size

_WINDOW_SHARE = 8
"""Above 8 × the visible area, resize only the visible window."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a person image goes: its top-left corner at `x`, `y` of the canvas (pixels), `scale` times its own size."""

    x: float
    y: float
    scale: float


def compose(
    background: Image.Image, person: Image.Image, size: Size, placement: Placement, person_size: Size | None = None
) -> Image.Image:
    """`person` on a canvas of `size` (RGB), as `placement` says.

    The background covers the canvas, centred and cropped; where it is transparent itself, the canvas is white. What
    lies beyond the canvas is cut off. `person_size` is the person's own size where it was decoded smaller than it is.
    """
    canvas = flattened(ImageOps.fit(background, size, Image.Resampling.BICUBIC))
    placed = _placed(person, person_size or person.size, size, placement)
    if placed:
        scaled, corner = placed
        canvas.paste(scaled, corner, scaled if scaled.mode == "RGBA" else None)
    return canvas


def _placed(person: Image.Image, own_size: Size, size: Size, placement: Placement) -> tuple[Image.Image, Size] | None:
    """The scaled person, at least as much of it as shows, and where its top-left corner goes; None if nothing shows."""
    width, height = (max(1, floor(pixels * placement.scale + 0.5)) for pixels in own_size)
    left, top = floor(placement.x + 0.5), floor(placement.y + 0.5)
    window = (max(0, -left), max(0, -top), min(width, size[0] - left), min(height, size[1] - top))
    if window[0] >= window[2] or window[1] >= window[3]:
        return None
    shows = (window[2] - window[0]) * (window[3] - window[1])
    grows = width >= person.width and height >= person.height
    if not grows or width * height <= max(_WINDOW_SHARE * shows, person.width * person.height):
        return person.resize((width, height), Image.Resampling.BICUBIC), (left, top)
    return enlarge(person, (width, height), window), (left + window[0], top + window[1])
