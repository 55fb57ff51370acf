"""Shapes with smooth edges, in eight bits, for OpenCV smooths no others; `Canvas.stamp` puts them on the canvas."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.engines.local.scenery.fields import Array

Point = tuple[float, float]

Ink = NDArray[np.uint8]
"""0 to 255, shape (height, width), or (height, width, 3) where it is coloured."""

_SHIFT = 4
_FURTHEST = 30_000
"""Pixels from the picture at which a corner is cut off, lest OpenCV's integers overflow."""


def polygon(ink: Ink, corners: Sequence[Point] | Array, colour: Sequence[float] = (255,)) -> None:
    cv2.fillPoly(ink, [_fixed(corners)], colour, cv2.LINE_AA, _SHIFT)


def line(ink: Ink, corners: Sequence[Point] | Array, value: int = 255, thickness: int = 1) -> None:
    """An open line through `corners`, `thickness` pixels wide."""
    cv2.polylines(ink, [_fixed(corners)], False, (value,), thickness, cv2.LINE_AA, _SHIFT)


def ellipse(ink: Ink, centre: Point, radii: Point, value: int = 255, angle: float = 0.0) -> None:
    """A filled ellipse, turned clockwise by `angle` degrees, never too small to be seen."""
    at, axes = _fixed([centre])[0], np.maximum(_fixed([radii])[0], 6)
    cv2.ellipse(ink, at.tolist(), axes.tolist(), angle, 0, 360, (value,), -1, cv2.LINE_AA, _SHIFT)


def dot(ink: Ink, centre: Point, radius: float, value: int = 255) -> None:
    ellipse(ink, centre, (radius, radius), value)


def _fixed(corners: Sequence[Point] | Array) -> NDArray[np.int32]:
    """In sixteenths of a pixel, as OpenCV takes them."""
    scaled = np.clip(np.asarray(corners, np.float64), -_FURTHEST, _FURTHEST) * 2**_SHIFT
    return np.asarray(scaled.round(), np.int32)
