"""Scenes of open land."""

import cv2
import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.dunes import dune, mesas
from deployments.engines.local.scenery.fields import Array, mix, rolling, smoothstep
from deployments.engines.local.scenery.ink import Point
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.plants import flowers, grass, pines, round_trees
from deployments.engines.local.scenery.sky import glow, paint_sky
from deployments.engines.local.scenery.terrain import hill, mist, range_of_mountains, valley
from deployments.engines.local.scenery.water import paint_water, sun_path

_DEEP = 0.5
"""The share of snow above which nothing grows out of it."""


def paint_mountains(canvas: Canvas) -> None:
    """Three ranges, wooded foothills, a dark meadow."""
    horizon = canvas.height * 0.62
    paint_sky(canvas, horizon)
    _ranges(canvas, horizon)
    _wooded_hills(canvas, horizon)
    _foreground(canvas, canvas.height * 0.84, rgb("#5d8a45"))


def paint_lake(canvas: Canvas) -> None:
    """The ranges over still water that mirrors them."""
    shore = round(canvas.height * 0.64)
    sun = paint_sky(canvas, shore)
    _ranges(canvas, shore)
    _wooded_shore(canvas, shore)
    paint_water(canvas, shore, rgb("#1f6d8c"), calm=1.0)
    sun_path(canvas, sun, shore, 0.35)
    mist(canvas, shore, canvas.unit * 0.022, 0.6)


def paint_meadow(canvas: Canvas) -> None:
    """Rolling hills with groups of trees, flowers close by."""
    horizon = canvas.height * 0.6
    paint_sky(canvas, horizon)
    range_of_mountains(canvas, horizon, canvas.unit * 0.13, 0.86)
    greens = [rgb("#86b07a"), rgb("#7db356"), rgb("#6aa544"), rgb("#4f8f3a")]
    for number, green in enumerate(greens):
        near = (number + 1) / len(greens)
        line = _swell(canvas, horizon + canvas.height * 0.075 * number**1.25, 0.05 + 0.02 * number, 0.5 + 0.3 * near)
        crest = mix(
            canvas.palette.seen(canvas.palette.ground(green), 0.72 * (1 - near)),
            canvas.palette.glow,
            0.14 * (1 - canvas.palette.darkness),
        )
        hill(
            canvas,
            line,
            crest,
            canvas.palette.seen(canvas.palette.ground(green * 0.62), 0.6 * (1 - near)),
            canvas.unit * (0.1 + 0.2 * near),
        )
        if number < len(greens) - 1:
            tree = canvas.palette.seen(canvas.palette.dusted(rgb("#3f6b3a")), 0.62 * (1 - near))
            round_trees(canvas, line, canvas.unit * (0.016 + 0.03 * near), tree)
    if canvas.palette.snow < _DEEP:
        grass(canvas, canvas.height * 0.82, canvas.palette.lit(rgb("#4f8f3a")))
        flowers(canvas, canvas.height * 0.78)


def paint_winter(canvas: Canvas) -> None:
    """Snowed-in hills and firs."""
    horizon = canvas.height * 0.6
    paint_sky(canvas, horizon)
    _ranges(canvas, horizon)
    for number, distance in enumerate((0.55, 0.3, 0.08)):
        mist(canvas, horizon + canvas.height * (0.1 * number - 0.04), canvas.unit * 0.03, 0.5)
        line = _swell(canvas, horizon + canvas.height * (0.015 + 0.1 * number), 0.045, 0.6)
        size = canvas.unit * (0.05 + 0.075 * number)
        pines(canvas, line, size, canvas.palette.seen(rgb("#425f6c"), distance), room=0.2 + 0.25 * number)
        _snowfield(canvas, line, distance)


def _snowfield(canvas: Canvas, line: Array, distance: float) -> None:
    white = canvas.palette.seen(rgb("#f6f9ff"), distance * 0.6)
    sunlit = mix(white, canvas.palette.glow, 0.2 * (1 - canvas.palette.darkness))
    hill(canvas, line, sunlit, canvas.palette.seen(rgb("#b9cce6"), distance), canvas.unit * 0.3)


def paint_forest(canvas: Canvas) -> None:
    """Rows of firs in mist, tall trunks at both sides, a path of light between them."""
    horizon = canvas.height * 0.66
    sun = paint_sky(canvas, horizon)
    canvas.wash(
        np.full(canvas.pixels.shape[:2], 0.3, np.float32),
        mix(canvas.palette.haze, canvas.palette.seen(rgb("#9cc4a4"), 0.5), 0.5),
    )
    glow(
        canvas,
        (canvas.width * 0.5, horizon * 0.9),
        canvas.unit * 0.3,
        mix(canvas.palette.glow, canvas.palette.haze, 0.4) * 0.35,
    )
    for number, distance in enumerate((0.86, 0.68, 0.46, 0.2)):
        root = horizon + canvas.height * (0.03 * number)
        line = (root + rolling(canvas.rng, canvas.width, canvas.unit * 0.4) * canvas.unit * 0.015).astype(np.float32)
        size = canvas.unit * (0.28 + 0.12 * number)
        colour = canvas.palette.seen(canvas.palette.dusted(rgb("#1f4a3a")), distance)
        pines(canvas, line, size, colour, room=(0.0, 0.08, 0.34, 0.7)[number])
        hill(canvas, line, colour, mix(colour, canvas.palette.haze, 0.35), canvas.unit * 0.1)
        mist(canvas, root, canvas.unit * 0.05, 0.55 * (1 - number / 5))
    _sunbeams(canvas, sun)
    _foreground(canvas, canvas.height * 0.83, rgb("#3f6f42"))


def paint_desert(canvas: Canvas) -> None:
    """Dunes with sharp crests; rock far away."""
    horizon = canvas.height * 0.58
    paint_sky(canvas, horizon)
    mesas(canvas, horizon)
    for number, distance in enumerate((0.62, 0.42, 0.22, 0.04)):
        base = horizon + canvas.height * (0.0, 0.05, 0.13, 0.25)[number]
        dune(canvas, base, canvas.unit * (0.035 + 0.03 * number), distance)


def _ranges(canvas: Canvas, base: float) -> None:
    for height, distance in ((0.3, 0.74), (0.25, 0.5), (0.15, 0.3)):
        range_of_mountains(canvas, base, canvas.unit * height, distance)
        mist(canvas, base - canvas.unit * 0.02, canvas.unit * 0.05, 0.5 * distance + 0.1)


def _wooded_hills(canvas: Canvas, horizon: float) -> None:
    for number, distance in enumerate((0.48, 0.26)):
        line = _swell(canvas, horizon + canvas.height * (0.02 + 0.085 * number), 0.05, 0.7)
        colour = canvas.palette.seen(canvas.palette.dusted(rgb("#2f5a48")), distance)
        size = canvas.unit * (0.035 + 0.035 * number)
        pines(canvas, line, size, colour)
        hill(canvas, line, colour, mix(colour, canvas.palette.haze, 0.35), canvas.unit * 0.13)
        mist(canvas, horizon + canvas.height * (0.09 + 0.085 * number), canvas.unit * 0.03, 0.4)


def _wooded_shore(canvas: Canvas, shore: float) -> None:
    line = (
        shore - canvas.unit * 0.012 + rolling(canvas.rng, canvas.width, canvas.unit * 0.3) * canvas.unit * 0.008
    ).astype(np.float32)
    colour = canvas.palette.seen(canvas.palette.dusted(rgb("#244c40")), 0.3)
    pines(canvas, line, canvas.unit * 0.075, colour, room=0.25)
    pines(canvas, line, canvas.unit * 0.04, colour)
    hill(canvas, line, colour, colour * 0.8, canvas.unit * 0.03)


def _swell(canvas: Canvas, base: float, height: float, cell: float) -> Array:
    """The line of a soft hill."""
    wave = rolling(canvas.rng, canvas.width, canvas.unit * cell)
    return (base - wave * canvas.unit * height * valley(canvas, 0.4)).astype(np.float32)


def _foreground(canvas: Canvas, y: float, green: Array) -> None:
    """Ground that darkens towards the beholder, quiet enough to stand on."""
    line = _swell(canvas, y, 0.025, 0.7)
    near = canvas.palette.seen(canvas.palette.ground(green), 0.06)
    hill(
        canvas,
        line,
        mix(near, canvas.palette.glow, 0.1 * (1 - canvas.palette.darkness)),
        near * (0.5 + 0.35 * canvas.palette.snow),
        canvas.unit * 0.26,
    )
    if canvas.palette.snow < _DEEP:
        grass(canvas, y + canvas.unit * 0.03, near)


def _sunbeams(canvas: Canvas, sun: Point) -> None:
    """Slanting shafts of light from the sun's side."""
    small = (max(2, canvas.height // 4), max(2, canvas.width // 4))
    y, x = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32) * 4
    angle = np.arctan2(x - sun[0], y - (sun[1] - canvas.unit * 0.5))
    shafts = rolling(canvas.rng, 512, 28, 3)
    beam = np.interp(angle, np.linspace(-1.6, 1.6, 512), smoothstep(0.05, 0.7, shafts))
    light = (beam * (1 - smoothstep(0.45, 0.95, y / canvas.height)) * 0.3 * (1 - 0.7 * canvas.palette.darkness)).astype(
        np.float32
    )
    canvas.lighten(cv2.resize(light, (canvas.width, canvas.height)).astype(np.float32), canvas.palette.glow)
