"""Water: a rippled mirror of all that stands above it, the sun's path on it, and the surf."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix, noise, smoothstep
from deployments.engines.local.scenery.ink import Point


def paint_water(canvas: Canvas, shore: int, colour: Array, calm: float) -> None:
    """Fills all below the row `shore` with what is painted above it, mirrored; `calm` is 1 for a lake, 0 for the sea.

    The water's own `colour` shows where one looks down into it, which is near the lower edge.
    """
    rows = canvas.height - shore
    deep = mix(canvas.palette.lit(colour), canvas.palette.tinted(canvas.palette.sky[1]), 0.4) * 0.8
    nearness = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    waves = _waves(canvas, rows)
    strength = canvas.unit * (0.05 - 0.042 * calm) * (0.15 + nearness)
    x = canvas.columns[None] + (waves - 0.5) * strength * 1.2
    y = (
        shore
        - 1
        - np.arange(rows, dtype=np.float32)[:, None] * min(1.0, shore / rows)
        - np.abs(waves - 0.5) * strength * 5
    )
    mirrored = cv2.remap(canvas.pixels, x, np.clip(y, 0, shore - 1), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    depth = (0.05 + (0.72 - 0.3 * calm) * nearness)[..., None]
    surface = mix(np.asarray(mirrored, np.float32), deep, depth)
    crests = smoothstep(0.52, 0.8, waves) * (0.1 + 0.12 * nearness) * (1 - 0.6 * calm)
    troughs = smoothstep(0.5, 0.2, waves) if calm < 1 else np.zeros_like(waves)
    surface = mix(surface, canvas.palette.sky[-1], crests[..., None])
    canvas.pixels[shore:] = mix(surface, deep * 0.7, (troughs * 0.16)[..., None])


def sun_path(canvas: Canvas, sun: Point, shore: int, strength: float) -> None:
    """Glitter below the sun, broader towards the beholder."""
    rows = canvas.height - shore
    nearness = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    breadth = canvas.unit * (0.035 + 0.13 * nearness)
    beam = np.exp(-(((canvas.columns[None] - sun[0]) / breadth) ** 2)).astype(np.float32)
    sparkle = smoothstep(0.52, 0.66, _waves(canvas, rows) + beam * 0.08)
    canvas.lighten(
        (beam * (sparkle * 0.8 + 0.16) * strength * (1 - 0.55 * nearness)).astype(np.float32),
        canvas.palette.glow,
        shore,
    )


def _waves(canvas: Canvas, rows: int) -> Array:
    """Ripples seen at a flat angle, 0..1, shape (rows, width): long bands, finer towards the horizon."""
    side = 768
    plane = noise(canvas.rng, (side, side), (side / 24, side / 7), 4)
    plane = smoothstep(0.2, 0.8, plane)
    nearness = (np.arange(rows, dtype=np.float32)[:, None] + 1.5) / canvas.unit
    away = 1 / (nearness + 0.04)
    x = (canvas.columns[None] / canvas.unit - 0.5) * away**0.5 * 260 + side / 2
    y = np.broadcast_to(nearness**0.62 * 1500, x.shape)
    return np.asarray(
        cv2.remap(plane, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        np.float32,
    )
