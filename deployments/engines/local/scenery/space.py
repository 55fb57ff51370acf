"""Outer space."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix, noise, smoothstep
from deployments.engines.local.scenery.ink import Point
from deployments.engines.local.scenery.palette import gradient, rgb
from deployments.engines.local.scenery.sky import glow, paint_stars


def paint_space(canvas: Canvas) -> None:
    """A nebula, stars, a ringed planet to one side, and the rim of a world below."""
    canvas.pixels[:] = gradient(np.stack([rgb("#05060f"), rgb("#0b0a24"), rgb("#120a2c")]), canvas.height)[:, None]
    _nebula(canvas)
    paint_stars(canvas, 1.8, canvas.height * 1.2)
    _planet(canvas, (canvas.width * (0.5 - 0.3 * canvas.sun_side), canvas.height * 0.26), canvas.unit * 0.1)
    _world(canvas)


def _nebula(canvas: Canvas) -> None:
    shape = (max(8, canvas.height // 2), max(8, canvas.width // 2))
    cell = canvas.unit / 5
    warp = [(noise(canvas.rng, shape, (cell, cell), 3) - 0.5) * cell * 0.8 for _ in range(2)]
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    veil = cv2.remap(
        noise(canvas.rng, shape, (cell, cell), 6),
        x + warp[0],
        y + warp[1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    hue = noise(canvas.rng, shape, (cell * 1.5, cell * 1.5), 2)
    band = np.exp(-((((x - shape[1] / 2) * 0.5 + (y - shape[0] * 0.42)) / (canvas.unit * 0.2)) ** 2))
    cold, warm = canvas.palette.tinted(rgb("#2f5fd0")), canvas.palette.tinted(rgb("#c23a9a"))
    light = smoothstep(0.3, 0.95, np.asarray(veil)) * (0.2 + 0.8 * band) * (1.3 - 0.5 * canvas.palette.darkness)
    for mask, colour in (
        (light * (1 - hue), cold),
        (light * smoothstep(0.35, 0.7, hue), warm),
        (np.minimum(light, 1) ** 3 * 0.6, rgb("#ffd9c0")),
    ):
        canvas.lighten(cv2.resize(mask.astype(np.float32), (canvas.width, canvas.height)).astype(np.float32), colour)


def _planet(canvas: Canvas, centre: Point, radius: float) -> None:
    """A gas giant with a ring, lit from the middle of the picture."""
    ring = _ring(canvas, centre, radius)
    behind = (canvas.rows() < centre[1]).astype(np.float32)
    ring_colour = canvas.palette.tinted(rgb("#e8cda6"))
    canvas.wash(ring * behind * 0.75, ring_colour * 0.8)
    _sphere(canvas, centre, radius, (canvas.sun_side * 0.75, -0.45, 0.48), ("#f3c79a", "#a85a6e"))
    canvas.wash(ring * (1 - behind) * 0.85, ring_colour)


def _ring(canvas: Canvas, centre: Point, radius: float) -> Array:
    """The mask of a tilted ring around `centre`, with gaps."""
    x, y = canvas.columns[None] - centre[0], canvas.rows() - centre[1]
    along, across = x * 0.94 + y * 0.34, y * 0.94 - x * 0.34
    far = np.hypot(along, across / 0.2) / radius
    bands = np.interp(far, np.linspace(1.35, 2.15, 40), 0.35 + 0.65 * canvas.rng.random(40), 0, 0)
    return (bands * smoothstep(1.33, 1.42, far) * (1 - smoothstep(2.05, 2.16, far))).astype(np.float32)


def _world(canvas: Canvas) -> None:
    """The night side of a huge world below, its rim of air alight."""
    side = canvas.sun_side
    radius = canvas.unit * 1.5
    centre = (canvas.width * (0.5 - 0.12 * side), canvas.height * 0.74 + radius)
    height = np.hypot(canvas.columns[None] - centre[0], canvas.rows() - centre[1]) - radius
    air = np.exp(-np.abs(height) / np.where(height > 0, canvas.unit * 0.03, canvas.unit * 0.06))
    _sphere(canvas, centre, radius, (side * 0.55, -0.82, 0.12), ("#4f86c6", "#16305c"))
    sunward = smoothstep(-0.9, 0.9, side * (canvas.columns[None] / canvas.width * 2 - 1))
    canvas.lighten((air * (0.25 + 0.75 * sunward)).astype(np.float32), canvas.palette.tinted(rgb("#7cc4ff")))
    x = canvas.width * (0.5 + side * 0.34)
    rim = (x, centre[1] - np.sqrt(max(0.0, radius**2 - (x - centre[0]) ** 2)))
    glow(canvas, rim, canvas.unit * 0.05, rgb("#fff3dc") * 0.9, squash=2.0)


def _sphere(
    canvas: Canvas, centre: Point, radius: float, sun: tuple[float, float, float], colours: tuple[str, str]
) -> None:
    """A ball with bands of two `colours`; `sun` is the direction of the light (right, down, forward), of length 1."""
    x, y = (canvas.columns[None] - centre[0]) / radius, (canvas.rows() - centre[1]) / radius
    far = np.hypot(x, y)
    depth = np.sqrt(np.maximum(0, 1 - far * far))
    shine = np.clip(x * sun[0] + y * sun[1] + depth * sun[2], 0, 1) ** 0.9 * (1.2 - 0.35 * canvas.palette.darkness)
    cell = min(radius * 0.26, canvas.unit * 0.16)
    bands = smoothstep(0.25, 0.75, noise(canvas.rng, canvas.pixels.shape[:2], (cell, cell * 5.5), 5))[..., None]
    surface = mix(canvas.palette.tinted(rgb(colours[0])), canvas.palette.tinted(rgb(colours[1])), bands)
    canvas.wash(np.clip((1 - far) * radius + 0.5, 0, 1), surface * (0.02 + 0.98 * shine)[..., None])
