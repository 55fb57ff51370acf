"""The sky: a gradient, the sun or the moon with its glow, stars and clouds."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix, noise, smoothstep
from deployments.engines.local.scenery.ink import Point, dot
from deployments.engines.local.scenery.palette import Palette, gradient, rgb


def paint_sky(canvas: Canvas, horizon: float) -> Point:
    """Paints down to `horizon`, and the lowest colour on below it; returns where the sun or the moon stands."""
    down = max(2, round(horizon))
    canvas.pixels[:down] = gradient(canvas.palette.sky, down)[: canvas.height, None]
    canvas.pixels[down:] = canvas.palette.sky[-1]
    sun = _sun_place(canvas, horizon)
    if canvas.palette.stars:
        paint_stars(canvas, canvas.palette.stars, horizon)
    _paint_sun(canvas, sun)
    if canvas.palette.clouds:
        _paint_clouds(canvas, horizon, sun)
    return sun


def glow(canvas: Canvas, centre: Point, radius: float, light: Array, squash: float = 1.0) -> None:
    """Adds `light` around `centre` that is half gone at about `radius`; `squash` above 1 makes it low and broad."""
    small = (max(1, canvas.height // 4), max(1, canvas.width // 4))
    y, x = (
        np.linspace(0, side - 1, count, dtype=np.float32)
        for side, count in zip(canvas.pixels.shape, small, strict=False)
    )
    far = np.hypot((x[None] - centre[0]) / squash, (y[:, None] - centre[1])) / radius
    falling = cv2.resize(1 / (1 + far * far) ** 1.6, (canvas.width, canvas.height))
    canvas.lighten(np.asarray(falling, np.float32), light)


def disc(canvas: Canvas, centre: Point, radius: float) -> Array:
    """The mask of a circle, smooth at its edge, shape (height, width)."""
    far = np.hypot(canvas.columns[None] - centre[0], canvas.rows() - centre[1])
    return np.asarray(np.clip(radius - far + 0.5, 0, 1), np.float32)


def paint_stars(canvas: Canvas, share: float, horizon: float) -> None:
    """Stars of many sizes, fewer towards `horizon`; a few have a soft halo."""
    count = int(share * 520 * canvas.unit**2 / 1024**2) + 20
    x, y = canvas.rng.random(count) * canvas.width, canvas.rng.random(count) ** 1.3 * horizon
    bright = 0.25 + 0.75 * canvas.rng.random(count) ** 3
    stars = canvas.ink()
    for place_x, place_y, light in zip(x, y, bright * (1 - (y / horizon) ** 2 * 0.8), strict=True):
        size = (0.55 + 1.1 * light**3) * canvas.unit / 1024
        dot(stars, (place_x, place_y), size, int(255 * light))
    crisp = stars.astype(np.float32) / 255
    halo = cv2.GaussianBlur(crisp, (0, 0), canvas.unit / 400).astype(np.float32)
    canvas.lighten(np.clip(crisp + halo * 1.5, 0, 1), rgb("#e8f0ff"))


def _sun_place(canvas: Canvas, horizon: float) -> Point:
    """Beside the middle, where a person stands."""
    aside = canvas.sun_side * canvas.rng.uniform(0.2, 0.3)
    return canvas.width * (0.5 + aside), horizon * (1 - canvas.palette.elevation)


def _paint_sun(canvas: Canvas, sun: Point) -> None:
    radius = canvas.unit * (0.034 if canvas.palette.moonlit else 0.042)
    glow(canvas, sun, canvas.unit * 0.34, canvas.palette.glow * (0.16 if canvas.palette.moonlit else 0.34), squash=1.5)
    glow(canvas, sun, canvas.unit * 0.1, canvas.palette.glow * (0.3 if canvas.palette.moonlit else 0.55))
    mask = disc(canvas, sun, radius)
    colour = mix(canvas.palette.glow, np.ones(3, np.float32), 0.35)
    if not canvas.palette.moonlit:
        canvas.wash(mask, colour)
        return
    seas = smoothstep(0.5, 0.75, noise(canvas.rng, mask.shape, (radius * 0.8, radius * 0.8), 2))
    canvas.wash(mask, mix(colour, rgb("#c3c8d2"), (seas * 0.55)[..., None]))


def _paint_clouds(canvas: Canvas, horizon: float, sun: Point) -> None:
    """Long soft banks, thinner towards the horizon, lit from the sun's side."""
    rows = max(2, round(horizon))
    wide = canvas.unit
    field = noise(canvas.rng, (rows, canvas.width), (wide * 0.13, wide * 0.5), 6)
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    fade = smoothstep(0, 0.25, depth) * 0.5 + 0.5
    edge = 0.78 - 0.42 * canvas.palette.clouds
    body = smoothstep(edge, edge + 0.24, field) * fade * smoothstep(0, 0.12, 1 - depth)
    below = np.roll(field, -round(wide * 0.018), axis=0)
    towards = -1 if canvas.palette.low_sun else 1
    lit = smoothstep(-0.09, 0.09, (field - below) * -towards)
    near = np.exp(-(((canvas.columns[None] - sun[0]) / (wide * 0.5)) ** 2)).astype(np.float32)
    colours = mix(
        _cloud_shade(canvas.palette), _cloud_light(canvas.palette), np.clip(lit * (0.55 + 0.45 * near), 0, 1)[..., None]
    )
    canvas.wash(body * 0.8, colours[: canvas.height])


def _cloud_light(palette: Palette) -> Array:
    return mix(palette.sky[-1], palette.glow, 0.7) if palette.darkness < 1 else mix(palette.haze, palette.glow, 0.18)


def _cloud_shade(palette: Palette) -> Array:
    return mix(palette.sky[len(palette.sky) // 2], palette.haze, 0.45)
