"""The land of the desert."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, channels, mix, noise, rolling, smoothstep
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.terrain import hill, valley


def mesas(canvas: Canvas, horizon: float) -> None:
    """Flat-topped rocks at the horizon."""
    for distance in (0.8, 0.66):
        height = rolling(canvas.rng, canvas.width, canvas.unit * 0.3, 3) * valley(canvas, 0.6)
        steps = smoothstep(0.12, 0.2, height) * 0.6 + smoothstep(0.4, 0.46, height) * 0.4
        line = (horizon + canvas.unit * 0.01 - steps * canvas.unit * 0.085 * (1.3 - distance)).astype(np.float32)
        rock = canvas.palette.seen(canvas.palette.dusted(rgb("#b8694a")), distance)
        hill(canvas, line, rock, mix(rock, canvas.palette.haze, 0.5), canvas.unit * 0.06)


def dune(canvas: Canvas, base: float, height: float, distance: float) -> None:
    """One dune: a bright windward side, a dark lee side, and a wandering crest between them."""
    wave = rolling(canvas.rng, canvas.width, canvas.unit * 0.75, 2)
    line = (base - np.abs(wave) ** 0.85 * np.sign(wave) * height).astype(np.float32)
    top, _ = canvas.span(line)
    below = np.maximum(canvas.rows(top) - line, 0)
    slope = np.gradient(cv2.GaussianBlur(line[None], (0, 0), canvas.unit / 60)[0])
    bend = rolling(canvas.rng, len(below), canvas.unit * 0.3, 1)[:, None] * canvas.unit * 0.06
    at = np.clip(
        canvas.columns + bend + np.minimum(below, canvas.unit * 0.25) * 0.9 * canvas.sun_side, 0, canvas.width - 1
    ).astype(np.int32)
    light = smoothstep(-0.05, 0.05, (slope * -canvas.sun_side)[at].astype(np.float32))
    sand = canvas.palette.ground(rgb("#eab676"))
    bright = mix(canvas.palette.seen(sand, distance), canvas.palette.glow, 0.16)
    dark = canvas.palette.seen(sand * channels(0.6, 0.5, 0.5), distance)
    fade = smoothstep(0, canvas.unit * 0.4, below)[..., None] * 0.5
    colours = mix(mix(dark, bright, light[..., None]), dark * 0.85, fade)
    canvas.wash(np.clip(canvas.rows(top) - line + 1, 0, 1), colours * _sand_ripples(canvas, below), top)


def _sand_ripples(canvas: Canvas, below: Array) -> Array:
    grain = noise(canvas.rng, below.shape, (canvas.unit / 110, canvas.unit / 12), 2) - 0.5
    return (1 + grain * 0.07)[..., None]
