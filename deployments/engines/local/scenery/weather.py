"""What falls or drifts between the beholder and the scene."""

from dataclasses import dataclass

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import mix, noise
from deployments.engines.local.scenery.ink import dot, line
from deployments.engines.local.scenery.palette import rgb


def paint_fog(canvas: Canvas) -> None:
    """A thick veil around the horizon, thinner above and close by."""
    rows = canvas.rows() / canvas.height
    veil = np.exp(-(((rows - 0.6) / 0.26) ** 2)) * 0.72 + 0.1
    drift = noise(canvas.rng, canvas.pixels.shape[:2], (canvas.unit / 7, canvas.unit / 1.8), 5)
    canvas.wash(
        np.clip(veil * (0.55 + 0.75 * drift), 0, 0.94).astype(np.float32),
        mix(canvas.palette.haze, canvas.palette.sky[-1], 0.4),
    )


def paint_rain(canvas: Canvas) -> None:
    """Slanting streaks, near ones longer and brighter, in a light veil."""
    canvas.wash(np.full(canvas.pixels.shape[:2], 0.16, np.float32), canvas.palette.haze)
    streaks = canvas.ink()
    for nearness, count in ((0.35, 420), (0.65, 200), (1.0, 80)):
        long = canvas.unit * 0.06 * nearness
        for x, y in canvas.rng.uniform(-0.1, 1.05, (count, 2)) * (canvas.width, canvas.height):
            line(streaks, [(x, y), (x - long * 0.18, y + long)], int(150 * nearness))
    canvas.stamp(streaks, mix(canvas.palette.haze, rgb("white"), 0.6), 0.42)


@dataclass(frozen=True, slots=True)
class _Flakes:
    """Snowflakes at one distance; lengths in units of the canvas."""

    count: int
    size: float
    blur: float
    strength: float
    to_the_sides: float
    """1 for an even spread; below it, the fewer fall before the middle."""


_FLAKES = (
    _Flakes(420, 0.0011, 0.0004, 0.75, 1.0),
    _Flakes(170, 0.0022, 0.0009, 0.8, 1.0),
    _Flakes(34, 0.0058, 0.0032, 0.6, 0.75),
)


def paint_snowfall(canvas: Canvas) -> None:
    """Flakes of three distances, the nearest out of focus, fewer before the middle."""
    white = mix(rgb("white"), canvas.palette.haze, 0.2 + 0.2 * canvas.palette.darkness)
    for kind in _FLAKES:
        flakes, rng = canvas.ink(), canvas.rng
        for _ in range(kind.count):
            place = (rng.beta(kind.to_the_sides, kind.to_the_sides) * canvas.width, rng.random() * canvas.height)
            dot(flakes, place, canvas.unit * kind.size * rng.uniform(0.6, 1.4))
        soft = cv2.GaussianBlur(flakes, (0, 0), max(0.35, canvas.unit * kind.blur))
        canvas.stamp(np.asarray(soft, np.uint8), white, kind.strength)
