"""What lit windows and lamps do to the picture around them."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, smoothstep

_COARSE = 4
"""Blurred light is worked out on every fourth pixel: nobody can tell."""


def bloom(canvas: Canvas, lights: Array, strength: float = 1.1) -> None:
    """Lets `lights`, a picture of nothing but what shines, shape (height, width, 3), spill over its surroundings."""
    soft = cv2.GaussianBlur(_coarse(lights), (0, 0), max(0.5, canvas.unit / 75 / _COARSE))
    _add(canvas, np.asarray(cv2.resize(soft, (canvas.width, canvas.height)), np.float32) * strength)


def wet_shine(canvas: Canvas, lights: Array, ground: int, strength: float) -> None:
    """Mirrors `lights` above the row `ground` in the wet road below it, drawn out towards the beholder."""
    smeared = cv2.GaussianBlur(
        _coarse(lights[:ground][::-1]), (0, 0), canvas.unit / 110 / _COARSE, sigmaY=canvas.unit / 11 / _COARSE
    )
    rows = canvas.height - ground
    nearness = smoothstep(0, 0.3, np.linspace(0, 1, rows, dtype=np.float32))[:, None, None]
    shine = np.asarray(cv2.resize(smeared, (canvas.width, rows)), np.float32)
    _add(canvas, shine * nearness * strength, ground)


def _coarse(lights: Array) -> Array:
    size = (max(1, lights.shape[1] // _COARSE), max(1, lights.shape[0] // _COARSE))
    return np.asarray(cv2.resize(np.ascontiguousarray(lights), size, interpolation=cv2.INTER_AREA), np.float32)


def _add(canvas: Canvas, light: Array, top: int = 0) -> None:
    area = canvas.pixels[top:]
    area += light * (1 - area)
