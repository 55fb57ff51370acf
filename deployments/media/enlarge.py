"""A window of a picture's enlargement, bit for bit as Pillow's `resize(size, BICUBIC)` makes it, without the rest.

Pillow's own `box=` comes close but not there: it rounds the box to 32-bit floats, which moves the sampling points.
The arithmetic follows Pillow's Resample.c: at most five taps a pixel, weights in 22-bit fixed point, first across, then
down, each rounded to 8 bits; transparency is multiplied in before and divided out after.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deployments.media.sizes import Size

Window = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels of the enlargement; right and bottom are not part of it."""

_REACH = 2  # of the cubic, in pixels of the source, to either side
_SHARPNESS = -0.5  # `a` in Keys' cubic convolution
_FIXED_POINT_BITS = 22


def enlarge(image: Image.Image, size: Size, window: Window) -> Image.Image:
    """The pixels in `window` of `image` (RGB or RGBA) enlarged to `size`, which is nowhere smaller than the image."""
    if size == image.size:
        return image.crop(window)  # as Pillow does, which then multiplies no transparency in
    left, top, right, bottom = window
    columns, across = _taps(image.width, size[0], left, right)
    rows, down = _taps(image.height, size[1], top, bottom)
    x, y = int(columns.min()), int(rows.min())
    source = image.crop((x, y, int(columns.max()) + 1, int(rows.max()) + 1))
    premultiplied = source.convert("RGBa") if image.mode == "RGBA" else source
    pixels = _sampled(np.asarray(premultiplied).swapaxes(0, 1), columns - x, across).swapaxes(0, 1)
    pixels = _sampled(pixels, rows - y, down)
    enlarged = Image.frombytes(premultiplied.mode, (right - left, bottom - top), pixels.tobytes())
    return enlarged.convert(image.mode)


def _taps(source: int, target: int, start: int, stop: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Which source pixels make the target pixels `start` to `stop`, and their weights: both (5, stop - start)."""
    centre = (np.arange(start, stop) + 0.5) * (source / target)
    first = np.maximum((centre - _REACH + 0.5).astype(np.intp), 0)
    beyond = np.minimum((centre + _REACH + 0.5).astype(np.intp), source)
    pixel = first + np.arange(2 * _REACH + 1)[:, np.newaxis]
    weight = np.where(pixel < beyond, _cubic(np.abs(pixel - centre + 0.5)), 0)
    weight /= weight.sum(axis=0)
    fixed = np.trunc(weight * (1 << _FIXED_POINT_BITS) + np.copysign(0.5, weight))
    return np.minimum(pixel, source - 1), fixed.astype(np.int32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel."""
    a, d = _SHARPNESS, distance
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = (((d - 5) * d + 8) * d - 4) * a
    return np.where(d < 1, near, np.where(d < _REACH, far, 0))


def _sampled(pixels: NDArray[np.uint8], taps: NDArray[np.intp], weights: NDArray[np.int32]) -> NDArray[np.uint8]:
    """`pixels` resampled along their first axis."""
    total = np.full((taps.shape[1], *pixels.shape[1:]), 1 << (_FIXED_POINT_BITS - 1), np.int32)
    for tap, weight in zip(taps, weights, strict=True):
        total += weight[:, np.newaxis, np.newaxis] * pixels[tap]
    rounded: NDArray[np.int32] = np.clip(total >> _FIXED_POINT_BITS, 0, 255)
    return rounded.astype(np.uint8)
