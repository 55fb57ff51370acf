"""A street that runs away from the beholder, in one-point perspective.

Lengths are in `Canvas.unit` at distance 1: x to the right of the vanishing point, y below it, z away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deployments.engines.local.scenery.canvas import Canvas
from deployments.engines.local.scenery.fields import Array, mix
from deployments.engines.local.scenery.ink import Ink, Point, polygon
from deployments.engines.local.scenery.lamps import bloom, wet_shine
from deployments.engines.local.scenery.palette import rgb
from deployments.engines.local.scenery.sky import glow, paint_sky

_KERB, _WALL, _GROUND = 0.34, 0.56, 0.3
_NEAR, _FAR = 0.6, 18.0
_STOREY, _WINDOW = 0.135, 0.075

_FACADES = [rgb(name) for name in ("#b98f7a", "#8f97a8", "#b0a48c", "#7f8aa0", "#a57f78", "#98a39a", "#c2a37e")]
_LAMP = rgb("#ffd494")
_SHOPS = [rgb(name) for name in ("#ffd494", "#ffb870", "#ffe9c4", "#8fd8ff", "#ff8fb0")]

_FRAME = [(0.0, 0.0, 1.0, 0.05), (0.0, 0.95, 1.0, 1.0), (0.0, 0.0, 0.1, 1.0), (0.9, 0.0, 1.0, 1.0)]
_LETTERS = [
    [(0.25, 0.1, 0.75, 0.28), (0.42, 0.1, 0.58, 0.9)],
    [(0.25, 0.1, 0.4, 0.9), (0.25, 0.72, 0.75, 0.9)],
    [(0.25, 0.1, 0.75, 0.28), (0.25, 0.1, 0.4, 0.9), (0.25, 0.72, 0.75, 0.9)],
    [(0.25, 0.1, 0.4, 0.9), (0.6, 0.1, 0.75, 0.9), (0.25, 0.42, 0.75, 0.58)],
]
"""Neon tubes as boxes (left, top, right, bottom), in shares of a sign and of a letter on it."""


@dataclass(frozen=True, slots=True)
class _Street:
    """What is drawn in perspective: the picture, where it has been drawn on, and what shines of it."""

    canvas: Canvas
    eye: Point
    drawn: Ink
    cover: Ink
    lights: Ink

    def fill(self, corners: list[tuple[float, float, float]], colour: Array, shine: float = 0.0) -> None:
        """Fills a polygon of points (x, y, z); `shine` is how bright a lamp it is."""
        unit = self.canvas.unit
        flat = [(self.eye[0] + x * unit / z, self.eye[1] + y * unit / z) for x, y, z in corners]
        polygon(self.drawn, flat, (colour * 255).tolist())
        polygon(self.cover, flat)
        polygon(self.lights, flat, (colour * (shine * 255)).tolist())

    def floor(self, left: float, right: float, depths: tuple[float, float], local: Array) -> None:
        """A strip of ground between two depths, the farther first."""
        far, near = depths
        corners = [(left, _GROUND, far), (right, _GROUND, far), (right, _GROUND, near), (left, _GROUND, near)]
        self.fill(corners, self.seen(local, far))

    def seen(self, local: Array, z: float) -> Array:
        """`local` through the air in front of the depth `z`."""
        return self.canvas.palette.seen(local, 0.86 * min(1.0, (z / _FAR) ** 0.55))


@dataclass(frozen=True, slots=True)
class _Wall:
    """The side of a house that faces the street at `x`, between two depths, up to `roof`."""

    x: float
    far: float
    near: float
    roof: float
    colour: Array

    def part(self, top: float, foot: float, margin: float = 0.0) -> list[tuple[float, float, float]]:
        """The corners of a band of the wall; `margin` (share) is left free at either end."""
        inset = (self.far - self.near) * margin
        far, near = self.far - inset, self.near + inset
        return [(self.x, top, far), (self.x, top, near), (self.x, foot, near), (self.x, foot, far)]

    def bays(self) -> Iterator["_Wall"]:
        """The wall cut into the width of one window each."""
        edges = np.linspace(self.far, self.near, max(2, round((self.far - self.near) / 0.17)) + 1)
        for far, near in pairwise(edges.tolist()):
            yield _Wall(self.x, far, near, self.roof, self.colour)


@dataclass(frozen=True, slots=True)
class _Sign:
    """A board that faces the beholder."""

    left: float
    top: float
    wide: float
    tall: float
    z: float

    def box(self, left: float, top: float, right: float, bottom: float) -> list[tuple[float, float, float]]:
        """The corners of a part, whose edges are shares of the board."""
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        return [(self.left + self.wide * x, self.top + self.tall * y, self.z) for x, y in corners]


def paint_street(canvas: Canvas) -> None:
    """Houses left and right, lamps along the kerbs, and the light at the end."""
    horizon, darkness = canvas.height * 0.6, canvas.palette.darkness
    paint_sky(canvas, horizon)
    eye = (canvas.width / 2, horizon)
    light = mix(canvas.palette.glow, canvas.palette.haze, 0.35) * (0.6 - 0.3 * darkness)
    glow(canvas, eye, canvas.unit * 0.2, light, squash=1.4)
    street = _drawn_street(canvas, eye)
    covered = street.cover > 0
    canvas.pixels[covered] = street.drawn[covered] / np.float32(255)
    lights = street.lights / np.float32(255)
    wet_shine(canvas, lights, round(horizon), darkness**2)
    bloom(canvas, lights, 0.5 + 0.9 * darkness)


def _drawn_street(canvas: Canvas, eye: Point) -> _Street:
    """In eight bits, over a copy of the sky, into which the edges then melt."""
    sky = (np.clip(canvas.pixels, 0, 1) * 255).astype(np.uint8)
    street = _Street(canvas, eye, sky, canvas.ink(), np.zeros_like(sky))
    _pave(street)
    for side in (-1, 1):
        _build(street, side)
    if canvas.palette.neon:
        _hang_signs(street)
    _set_lamps(street)
    return street


def _pave(street: _Street) -> None:
    """Road, pavements, kerbs and the broken line in the middle, in strips that fade with distance."""
    road, stone = (street.canvas.palette.ground(rgb(name)) for name in ("#565b66", "#9a958e"))
    at_the_feet = _GROUND * street.canvas.unit / (street.canvas.height - street.eye[1]) * 0.95
    for number, depths in enumerate(pairwise(np.geomspace(_FAR * 3, at_the_feet, 40).tolist())):
        street.floor(-3.0, 3.0, depths, stone)
        street.floor(-_KERB, _KERB, depths, road)
        for side in (-1, 1):
            street.floor(side * _KERB, side * (_KERB + 0.016), depths, stone * 1.2)
        if number % 2:
            street.floor(-0.008, 0.008, depths, rgb("#d8d2bf"))


def _build(street: _Street, side: int) -> None:
    """A closed row of houses of many heights, the farthest first."""
    rng = street.canvas.rng
    depths = np.geomspace(_FAR, _NEAR, 13) * np.append(rng.uniform(0.92, 1.08, 12), 1)
    for far, near in pairwise(depths.tolist()):
        facade = street.canvas.palette.dusted(_FACADES[rng.integers(len(_FACADES))])
        local = facade * (1 - 0.35 * street.canvas.palette.darkness)
        sunlit = 0.95 if side != street.canvas.sun_side else 0.8
        wall = _Wall(side * _WALL, far, near, -rng.uniform(0.45, 1.25), street.seen(local * sunlit, near))
        _paint_house(street, wall, street.seen(local * 0.62, near))


def _paint_house(street: _Street, wall: _Wall, gable: Array) -> None:
    x, roof, near = wall.x, wall.roof, wall.near
    street.fill([(x, roof, near), (x * 6, roof, near), (x * 6, _GROUND, near), (x, _GROUND, near)], gable)
    street.fill(wall.part(roof, _GROUND), wall.colour)
    street.fill(wall.part(roof, roof + 0.02), wall.colour * 1.12)
    _glaze(street, wall)


def _glaze(street: _Street, wall: _Wall) -> None:
    """Storeys of windows over shop fronts; by night some are lit."""
    rng, palette = street.canvas.rng, street.canvas.palette
    glass = mix(wall.colour * 0.6, palette.sky[1], 0.3)
    lamp = mix(_LAMP, palette.haze, min(0.8, wall.near / 9))
    shop = mix(glass, _SHOPS[rng.integers(len(_SHOPS))], 0.8 * palette.darkness * rng.uniform(0.3, 1.0))
    share = 0.02 + 0.34 * palette.darkness * rng.uniform(0.5, 1.1)
    for bay in wall.bays():
        for top in np.arange(wall.roof + _WINDOW, _GROUND - 0.25, _STOREY).tolist():
            lit = rng.random() < share
            pane = mix(lamp, wall.colour, rng.uniform(0.0, 0.5)) if lit else glass
            street.fill(bay.part(top, top + _WINDOW, 0.25), pane, 0.8 * palette.darkness * lit)
        street.fill(bay.part(0.14, 0.27, 0.08), shop, 0.9 * palette.darkness**2)


def _set_lamps(street: _Street) -> None:
    """Lamp posts on both kerbs, the farthest first."""
    darkness = street.canvas.palette.darkness
    for z in np.geomspace(9, 1.1, 6).tolist():
        iron = street.seen(rgb("#2c313a"), z)
        for side in (-1, 1):
            x, arm = side * (_KERB + 0.04), side * (_KERB - 0.02)
            post = [(x - 0.006, -0.2, z), (x + 0.006, -0.2, z), (x + 0.008, _GROUND, z), (x - 0.008, _GROUND, z)]
            street.fill(post, iron)
            street.fill([(x, -0.205, z), (arm, -0.215, z), (arm, -0.205, z), (x, -0.19, z)], iron)
            turns = np.linspace(0, 2 * np.pi, 12).tolist()
            bulb = [(arm + 0.016 * np.cos(turn), -0.2 + 0.012 * np.sin(turn), z) for turn in turns]
            street.fill(bulb, mix(iron, _LAMP, 0.3 + 0.7 * darkness), 1.5 * darkness)


def _hang_signs(street: _Street) -> None:
    """Neon signs that stand out from the walls over the shops, the farthest first: a frame, and bent tubes in it."""
    palette, rng = street.canvas.palette, street.canvas.rng
    shine = 0.5 + 0.5 * palette.darkness
    for number, z in enumerate(np.geomspace(9, 1.15, 14).tolist()):
        side, wide, tall = (-1, 1)[number % 2], rng.uniform(0.085, 0.115), rng.uniform(0.2, 0.34)
        sign = _Sign(_WALL - wide if side > 0 else -_WALL, rng.uniform(-0.5, 0.1 - tall), wide, tall, z)
        frame, letters = (mix(hue, rgb("white"), 0.12) for hue in rng.choice(np.stack(palette.neon), 2))
        street.fill(sign.box(0, 0, 1, 1), street.seen(rgb("#1b1724"), z))
        for edges in _FRAME:
            street.fill(sign.box(*edges), frame, shine)
        for row in range(count := round(tall / wide)):
            for left, top, right, bottom in _LETTERS[rng.integers(len(_LETTERS))]:
                rows = [0.07 + 0.86 * (row + share) / count for share in (top, bottom)]
                street.fill(sign.box(left, rows[0], right, rows[1]), letters, shine)
