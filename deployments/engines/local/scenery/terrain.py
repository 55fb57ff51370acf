"""Land in layers that fade with distance: mountains, hills, dunes, trees."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix, noise, rugged, smoothstep
from deployments.engines.local.scenery.palette import gradient, rgb


def valley(canvas: Canvas, depth: float) -> Array:
    """Per column 1 at the sides and `1 - depth` in the middle: leaves room for a person."""
    across = np.abs(canvas.columns / max(1, canvas.width - 1) * 2 - 1)
    return (1 - depth * (1 - smoothstep(0.1, 0.9, across))).astype(np.float32)


def facets(canvas: Canvas, line: Array, colours: tuple[Array, Array, Array], reach: float) -> Array:
    """Fills all below `line` as rock, and returns the mask of the lit faces in the rows from `canvas.span(line)[0]` on.

    The three `colours`: faces in the light, faces in shade, what both fade into `reach` pixels below the summit.
    """
    lit, shade, foot = colours
    top, _ = canvas.span(line)
    below = canvas.rows(top) - line
    slope = cv2.GaussianBlur(np.gradient(line)[None].astype(np.float32), (0, 0), canvas.unit / 170)[0]
    faces = np.tanh(slope * 3.5 * canvas.sun_side)
    wander = noise(canvas.rng, below.shape, (canvas.unit / 9, canvas.unit / 14), 4) - 0.5
    at = canvas.columns + wander * np.minimum(np.maximum(below, 0), canvas.unit * 0.16) * 1.9
    where = np.clip(at, 0, canvas.width - 1).astype(np.int32)
    light = smoothstep(-0.35, 0.35, faces[where] + wander * 1.2)
    fade = smoothstep(0, 1, (canvas.rows(top) - line.min()) / reach)[..., None]
    rock = mix(mix(shade, lit, light[..., None]), foot, fade)
    canvas.wash(np.clip(below + 1, 0, 1), rock, top)
    return light


def snow_caps(canvas: Canvas, line: Array, light: Array, limit: float, distance: float) -> None:
    """Snow on all of the rock under `line` that is higher than about `limit` (y), with a jagged edge."""
    top, _ = canvas.span(line)
    below = canvas.rows(top) - line
    jag = noise(canvas.rng, below.shape, (canvas.unit / 12, canvas.unit / 40), 4) - 0.5
    high = limit - canvas.rows(top) + jag * canvas.unit * 0.22
    mask = smoothstep(0, canvas.unit / 160, high) * np.clip(below + 1, 0, 1)
    bright, dim = (
        canvas.palette.seen(rgb("#fbfdff"), distance * 0.6),
        canvas.palette.seen(rgb("#a9bddb"), distance * 0.8),
    )
    bright = mix(bright, canvas.palette.glow, 0.25 * (1 - canvas.palette.darkness * 0.6))
    canvas.wash(mask * 0.94, mix(dim, bright, light[..., None]), top)


def range_of_mountains(canvas: Canvas, base: float, height: float, distance: float, capped: bool = True) -> None:
    """One range with its feet at `base` and its peaks `height` higher; `capped` with snow, or bare and green."""
    peaks = rugged(canvas.rng, canvas.width, canvas.unit * (0.42 - 0.12 * distance), 7, 0.47)
    peaks = (peaks - peaks.min()) / (np.ptp(peaks) + 1e-6)
    line = (base - height * (0.12 + 0.88 * peaks) * valley(canvas, 0.5)).astype(np.float32)
    lit = canvas.palette.seen(canvas.palette.dusted(rgb("#8d93a8" if capped else "#7f9a7a")), distance)
    shade = canvas.palette.seen(canvas.palette.dusted(rgb("#46506e" if capped else "#3f5f62")), distance)
    foot = mix(canvas.palette.seen(rgb("#8fa4b0"), distance), canvas.palette.haze, 0.55)
    lit = mix(lit, canvas.palette.glow, 0.12 * (1 - distance))
    light = facets(canvas, line, (lit, shade, foot), height * 1.15)
    if capped:
        snow_caps(canvas, line, light, base - height * (0.52 - 0.4 * canvas.palette.snow), distance)


def hill(canvas: Canvas, line: Array, crest: Array, foot: Array, reach: float) -> None:
    """Fills all below `line`, from `crest` at its highest point to `foot` at `reach` pixels below it."""
    top, _ = canvas.span(line)
    shades = gradient(np.stack([crest, foot]), max(2, round(reach)))
    at = np.clip(np.arange(canvas.height) - top, 0, len(shades) - 1)
    canvas.silhouette(line, shades[at])


def mist(canvas: Canvas, y: float, thickness: float, strength: float) -> None:
    """A bank of mist around the height `y`."""
    rows = canvas.rows()
    band = np.maximum(np.exp(-(((rows - y) / thickness) ** 2)) - 0.01, 0).astype(np.float32)
    drift = noise(canvas.rng, canvas.pixels.shape[:2], (canvas.unit / 14, canvas.unit / 2.5), 4)
    canvas.wash(np.clip(band * (0.35 + drift) * strength, 0, 1), mix(canvas.palette.haze, canvas.palette.sky[-1], 0.45))
