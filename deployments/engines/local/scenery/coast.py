"""Scenes of open water."""

from dataclasses import replace

import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, Rng, mix, noise, rolling, smoothstep
from deployments.engines.local.scenery.ink import Ink, Point, line, polygon
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.sky import paint_sky
from deployments.engines.local.scenery.terrain import mist, range_of_mountains
from deployments.engines.local.scenery.water import paint_water, sun_path


def paint_sea(canvas: Canvas) -> None:
    """The sea to the horizon, islands in the distance."""
    _open_sea(canvas, round(canvas.height * 0.58))


def paint_beach(canvas: Canvas) -> None:
    """The sea, surf, sand, and palms at the side."""
    shore = round(canvas.height * 0.56)
    _open_sea(canvas, shore)
    edge = canvas.height * 0.77 + rolling(canvas.rng, canvas.width, canvas.unit * 0.5) * canvas.unit * 0.022
    below = canvas.rows() - edge
    _sand(canvas, below)
    _surf(canvas, below)
    _palms(canvas)


def _open_sea(canvas: Canvas, shore: int) -> None:
    sun = paint_sky(canvas, shore)
    for distance, height in ((0.72, 0.075), (0.5, 0.05)):
        _islands(canvas, shore, height, distance)
    paint_water(canvas, shore, rgb("#1578a8"), calm=0.25)
    sun_path(canvas, sun, shore, 0.9 if canvas.palette.low_sun else 0.5)
    mist(canvas, shore, canvas.unit * 0.008, 0.5)


def _islands(canvas: Canvas, shore: int, height: float, distance: float) -> None:
    """Mountains of which only the peaks stand out of the water."""
    above = replace(canvas, pixels=canvas.pixels[:shore])
    range_of_mountains(above, shore + canvas.unit * height * 0.75, canvas.unit * height * 2, distance, capped=False)


def _sand(canvas: Canvas, below: Array) -> None:
    """Sand where `below`, the distance below the water's edge, is positive: wet and shining first, then dry."""
    sand, wet_width = canvas.palette.ground(rgb("#ecd3a2")), canvas.unit * 0.07
    wander = noise(canvas.rng, below.shape, (canvas.unit / 8, canvas.unit / 3), 3) - 0.5
    dryness = smoothstep(wet_width * 0.6, wet_width, below + wander * wet_width * 0.6)
    grain = noise(canvas.rng, below.shape, (canvas.unit / 200, canvas.unit / 100), 2) - 0.5
    far, near = mix(canvas.palette.lit(sand), canvas.palette.haze, 0.2), canvas.palette.lit(sand * 0.66)
    dry = mix(far, near, smoothstep(0, canvas.unit * 0.4, below)[..., None]) * (1 + grain * 0.08)[..., None]
    wet = mix(canvas.palette.lit(sand * 0.62), canvas.palette.sky[-1], 0.3)
    canvas.wash(np.clip(below + 1, 0, 1), mix(wet, dry, dryness[..., None]))


def _surf(canvas: Canvas, below: Array) -> None:
    """Three lips of foam that come in to the water's edge."""
    lace = noise(canvas.rng, below.shape, (canvas.unit / 40, canvas.unit / 25), 4)
    for offset, thickness, strength in ((0.0, 0.009, 0.95), (-0.03, 0.006, 0.6), (-0.075, 0.005, 0.45)):
        away = (below / canvas.unit - offset + (lace - 0.5) * 0.025) / thickness
        foam = np.exp(-(away**2)) * smoothstep(0.13, 0.48, lace)
        canvas.wash(foam * strength, canvas.palette.seen(rgb("white"), 0.2))


def _palms(canvas: Canvas) -> None:
    """Two palms that lean in from the side that the sun leaves free."""
    side = -canvas.sun_side
    mask = canvas.ink()
    edge = canvas.width * (0.5 + side * 0.47)
    for number in range(2):
        tall = canvas.unit * (0.62 - 0.17 * number) * canvas.rng.uniform(0.92, 1.05)
        root = (edge - side * canvas.unit * 0.05 * number, canvas.height * (0.87 + 0.02 * number))
        _palm(mask, canvas.rng, root, tall, -side * canvas.rng.uniform(0.12, 0.22))
    _undergrowth(mask, canvas.rng, (edge, canvas.height * 0.885), canvas.unit * 0.11)
    canvas.stamp(mask, canvas.palette.seen(rgb("#1f4a38"), 0.05) * 0.8)


def _undergrowth(ink: Ink, rng: Rng, root: Point, size: float) -> None:
    """A tuft of long leaves that hides where the trunks stand."""
    for angle in rng.uniform(-np.pi * 0.95, -np.pi * 0.05, 46):
        x, y, long = root[0] + rng.normal(0, size * 0.55), root[1] + rng.uniform(0, size * 0.12), rng.uniform(0.5, 1.0)
        tip = (x + np.cos(angle) * size * long, y + np.sin(angle) * 0.75 * size * long)
        polygon(ink, [(x - size * 0.035, y), (x + size * 0.035, y), tip])


def _palm(ink: Ink, rng: Rng, root: Point, tall: float, lean: float) -> None:
    bend = np.linspace(0, 1, 16)
    trunk_x, trunk_y = root[0] + lean * tall * bend**1.8, root[1] - tall * bend
    half = tall * (0.022 - 0.011 * bend)
    outline = np.concatenate([np.stack([trunk_x - half, trunk_y], 1), np.stack([trunk_x + half, trunk_y], 1)[::-1]])
    polygon(ink, outline)
    for angle in np.linspace(-3.5, 0.4, 10) + rng.uniform(-0.15, 0.15, 10):
        _frond(ink, rng, (trunk_x[-1], trunk_y[-1]), tall * rng.uniform(0.32, 0.42), float(angle))


def _frond(ink: Ink, rng: Rng, start: Point, long: float, angle: float) -> None:
    """One leaf: a drooping rib with a fringe of leaflets."""
    along = np.linspace(0, 1, 22)
    x = start[0] + np.cos(angle) * long * along
    y = start[1] + np.sin(angle) * long * along + long * 0.55 * along**2.2
    line(ink, np.stack([x, y], 1), thickness=max(1, round(long / 60)))
    for step in range(2, 22):
        hang = long * 0.24 * np.sin(np.pi * min(1.0, along[step] * 0.85 + 0.12)) * rng.uniform(0.8, 1.1)
        tip = (x[step] + np.cos(angle) * hang * 0.5, y[step] + hang)
        polygon(ink, [(x[step - 2], y[step - 2]), (x[step], y[step]), tip])
