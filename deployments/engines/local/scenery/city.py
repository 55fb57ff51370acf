"""A skyline at the water."""

from dataclasses import dataclass

import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix
from deployments.engines.local.scenery.lamps import bloom
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.sky import glow, paint_sky
from deployments.engines.local.scenery.terrain import mist
from deployments.engines.local.scenery.water import paint_water, sun_path

_FACADES = [rgb(name) for name in ("#7d8aa5", "#8f8a9c", "#66799a", "#9a8f8c", "#5f6f8c")]
_LAMPS = [rgb(name) for name in ("#ffd98a", "#ffc46b", "#fff0cf", "#9fdcff")]

_WITH_NEON = 0.45
"""Share of the towers that have neon lights where any do."""

_SHAPES: list[list[tuple[float, float]]] = [
    [(0.0, 0.0)],
    [(0.0, 0.0)],
    [(0.18, 0.0), (0.0, 0.12)],
    [(0.3, 0.0), (0.15, 0.07), (0.0, 0.2)],
]
"""The boxes of a tower, top to bottom: each one's setback (share of the width) and start (share of the height)."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Towers at one distance (share of air before them), `height` and `width` in units of the canvas."""

    distance: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class _Tower:
    """Where a tower stands, in pixels, and its colour."""

    left: int
    right: int
    top: int
    base: int
    facade: Array
    distance: float


_ROWS = (_Row(0.78, 0.4, 0.045), _Row(0.56, 0.36, 0.055), _Row(0.32, 0.3, 0.065), _Row(0.1, 0.17, 0.075))


def paint_city(canvas: Canvas) -> None:
    """Four rows of towers that the water mirrors."""
    shore = round(canvas.height * 0.68)
    sun = paint_sky(canvas, shore)
    _light_of_the_streets(canvas, shore)
    lights = np.zeros_like(canvas.pixels)
    for row in _ROWS:
        for tower in _towers(canvas, row, shore):
            _paint_tower(canvas, lights, tower)
        mist(canvas, shore, canvas.unit * 0.05, 0.55 * row.distance)
    bloom(canvas, lights)
    paint_water(canvas, shore, rgb("#2a5f80"), calm=0.72)
    sun_path(canvas, sun, shore, 0.35)


def _light_of_the_streets(canvas: Canvas, shore: int) -> None:
    darkness = canvas.palette.darkness
    light = mix(canvas.palette.haze, rgb("#ffb070"), 0.5 * darkness**2) * (0.35 + 0.25 * darkness)
    glow(canvas, (canvas.width / 2, shore), canvas.unit * 0.3, light, squash=2.5)


def _towers(canvas: Canvas, row: _Row, base: int) -> list[_Tower]:
    """A row from edge to edge, lower towards the middle."""
    rng, towers = canvas.rng, []
    x = -canvas.unit * row.width * rng.random()
    while x < canvas.width:
        width = canvas.unit * row.width * rng.uniform(0.65, 1.25)
        aside = abs((x + width / 2) / canvas.width * 2 - 1)
        height = canvas.unit * row.height * (0.3 + 0.75 * rng.beta(1.3, 2.2)) * (0.72 + 0.28 * aside)
        local = canvas.palette.dusted(_FACADES[rng.integers(len(_FACADES))]) * (0.9 - 0.3 * canvas.palette.darkness)
        facade = canvas.palette.seen(local, row.distance)
        towers.append(_Tower(round(x), round(x + width), max(0, round(base - height)), base, facade, row.distance))
        x += width * rng.uniform(0.9, 1.25)
    return towers


def _paint_tower(canvas: Canvas, lights: Array, tower: _Tower) -> None:
    """The boxes, each with a side in shade, fading into the haze of the streets; then mast and windows."""
    width, height = tower.right - tower.left, tower.base - tower.top
    foot = mix(tower.facade, canvas.palette.haze, 0.35 * (1 - 0.5 * canvas.palette.darkness))
    shades = mix(tower.facade, foot, np.linspace(0, 1, height, dtype=np.float32)[:, None])[:, None]
    for inset, start in _SHAPES[canvas.rng.integers(len(_SHAPES))]:
        top = tower.top + round(height * start)
        left, right = max(0, tower.left + round(width * inset)), max(0, tower.right - round(width * inset))
        canvas.pixels[top : tower.base, left:right] = shades[top - tower.top :]
        canvas.pixels[top : tower.base, left + round((right - left) * 0.62) : right] *= 0.86
        lights[top : tower.base, left:right] = 0
    if canvas.rng.integers(3) == 0:
        _paint_mast(canvas, tower)
    _paint_windows(canvas, lights, tower)
    if canvas.palette.neon and canvas.rng.random() < _WITH_NEON:
        _paint_neon(canvas, lights, tower)


def _paint_neon(canvas: Canvas, lights: Array, tower: _Tower) -> None:
    """A tube down one edge of a tower, and a sign across its upper half or none."""
    rng, hues = canvas.rng, canvas.palette.neon
    hue = mix(hues[rng.integers(len(hues))], canvas.palette.haze, 0.6 * tower.distance)
    left, right = max(0, tower.left), max(0, tower.right)
    thick, height = max(1, round(canvas.unit / 320)), tower.base - tower.top
    edge = max(0, (left, right - thick)[rng.integers(2)])
    sign = tower.top + round(height * rng.uniform(0.25, 0.5))
    tall = max(2, round((right - left) * 0.16)) if rng.integers(2) else 0
    for part in (np.s_[tower.top : tower.base, edge : edge + thick], np.s_[sign : sign + tall, left:right]):
        canvas.pixels[part] = hue
        lights[part] = hue * (0.4 + 0.6 * canvas.palette.darkness)


def _paint_mast(canvas: Canvas, tower: _Tower) -> None:
    left, tip = max(0, (tower.left + tower.right) // 2), max(0, tower.top - round((tower.base - tower.top) * 0.14))
    canvas.pixels[tip : tower.top, left : left + max(1, round(canvas.unit / 600))] = tower.facade


def _paint_windows(canvas: Canvas, lights: Array, tower: _Tower) -> None:
    """A grid of windows: lit ones shine, the others mirror the sky."""
    step = max(3.0, canvas.unit * 0.0085 * (1.25 - 0.5 * tower.distance))
    size = max(1, round(step * 0.45))
    glass = mix(tower.facade, canvas.palette.sky[1], 0.22 * (1 - tower.distance))
    lamps = _lamp_colours(canvas, tower)
    share = 0.03 + 0.5 * canvas.palette.darkness * canvas.rng.uniform(0.5, 1.0)
    first_row = tower.top + (tower.base - tower.top) * 0.21
    for y in np.arange(first_row, tower.base - step, step * 1.25).astype(int):
        for x in _columns(canvas, tower, step, size):
            pane = np.s_[y : y + max(1, round(size * 1.3)), x : x + size]
            if canvas.rng.random() < share:
                canvas.pixels[pane] = lights[pane] = lamps[canvas.rng.integers(len(lamps))]
            else:
                canvas.pixels[pane] = glass


def _columns(canvas: Canvas, tower: _Tower, step: float, size: int) -> list[int]:
    """The left edges of the windows of one storey that stand in the picture."""
    places = np.arange(tower.left + step * 0.7, tower.right - step * 0.7, step).astype(int)
    return [int(x) for x in places if 0 <= x < canvas.width - size]


def _lamp_colours(canvas: Canvas, tower: _Tower) -> list[Array]:
    """One colour of light for a whole tower, in three strengths."""
    lamp = _LAMPS[canvas.rng.integers(len(_LAMPS))]
    return [mix(tower.facade, lamp, (1 - tower.distance * 0.75) * strength) for strength in (0.6, 0.8, 1.0)]
