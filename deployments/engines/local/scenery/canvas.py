"""The canvas and the few strokes that every scene is made of.

Colours are sRGB in 0..1, shape (3,). Positions are pixels; `Canvas.unit` scales what should look alike in every shape
of picture. A *line* is one height (pixels from the top) per column, shape (width,).
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deployments.engines.local.scenery.fields import Array, Rng
from deployments.engines.local.scenery.ink import Ink
from deployments.engines.local.scenery.palette import Palette
from deployments.media.sizes import Size

_GRAIN = 0.9 / 255
"""Enough to hide the steps of a gradient in eight bits, too little to be seen as noise."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a scene is painted on and with: `pixels` (height, width, 3), the light, and the painter's dice."""

    pixels: Array
    palette: Palette
    rng: Rng
    sun_side: int
    """-1 where the sun or the moon stands on the left, 1 on the right."""

    @classmethod
    def blank(cls, size: Size, palette: Palette, rng: Rng) -> "Canvas":
        width, height = size
        return cls(np.zeros((height, width, 3), np.float32), palette, rng, int(rng.choice([-1, 1])))

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def unit(self) -> float:
        """The side of the square that has the canvas's area."""
        return math.sqrt(self.width * self.height)

    @property
    def columns(self) -> Array:
        """The x of every column, shape (width,)."""
        return np.arange(self.width, dtype=np.float32)

    def rows(self, top: int = 0) -> Array:
        """The y of every row from `top` on, shape (height - top, 1)."""
        return np.arange(top, self.height, dtype=np.float32)[:, None]

    def wash(self, mask: Array, colour: Array, top: int = 0) -> None:
        """Lays `colour` over the rows from `top` on, as thick as `mask` (rows, columns) says.

        `colour` is one, or one per row, shape (rows, 1, 3), or one per pixel, shape (rows, columns, 3).
        """
        painted = np.flatnonzero(mask.any(axis=1))
        if painted.size:
            first, end = int(painted[0]), int(painted[-1]) + 1
            area = self.pixels[top + first : top + end]
            colours = colour if colour.ndim == 1 else colour[first:end]
            area += mask[first:end, :, None] * (colours - area)

    def lighten(self, light: Array, colour: Array, top: int = 0) -> None:
        """Adds light of `colour` to the rows from `top` on, as photographic screening does: white stays white."""
        area = self.pixels[top : top + light.shape[0]]
        area += light[..., None] * colour * (1 - area)

    def ink(self) -> Ink:
        """A blank sheet to draw a shape on."""
        return np.zeros(self.pixels.shape[:2], np.uint8)

    def stamp(self, ink: Ink, colour: Array, strength: float = 1.0) -> None:
        """Lays `colour` where `ink` was drawn."""
        self.wash(ink * np.float32(strength / 255), colour)

    def shade(self, factor: Array, top: int = 0) -> None:
        """Multiplies the rows from `top` on by `factor` (rows, columns), broadcast."""
        self.pixels[top:] *= factor[..., None]

    def silhouette(self, line: Array, colour: Array) -> None:
        """Fills all below `line`; `colour` is one, or one per row of the canvas, shape (height, 3)."""
        top, solid = self.span(line)
        by_row = np.broadcast_to(colour, (self.height, 3))
        self.wash(np.clip(self.rows(top)[: solid - top] - line + 1, 0, 1), by_row[top:solid, None], top)
        self.pixels[solid:] = by_row[solid:, None]

    def span(self, line: Array) -> tuple[int, int]:
        """The first row that `line` touches, and the first that lies wholly below it."""
        top = int(np.clip(math.floor(line.min()) - 1, 0, self.height - 1))
        return top, int(np.clip(math.ceil(line.max()) + 1, top, self.height))

    def image(self) -> Image.Image:
        """The finished picture in eight bits, with a breath of grain."""
        grain = self.rng.random(self.pixels.shape[:2], np.float32) - self.rng.random(self.pixels.shape[:2], np.float32)
        bytes_ = (self.pixels + grain[..., None] * _GRAIN) * 255 + 0.5
        return Image.fromarray(np.clip(bytes_, 0, 255).astype(np.uint8))
