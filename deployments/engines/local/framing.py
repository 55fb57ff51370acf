"""Where a portrait is cut from its photo: head and shoulders, in any shape, with no straight edge in sight.

A photo ends somewhere, and so does the person in it. `frame` puts the lower end on the canvas's lower edge, and the
ends at the sides on its sides where it can; where it cannot (a wide canvas, a narrow photo), `bust` rounds them off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.engines.local.faces import Face
from deployments.engines.local.pixels import PERSON, Matte
from deployments.media.sizes import Size

_HEAD = 0.42
"""Share of the canvas's height that the head takes, hair or hat included."""

_LARGEST_HEAD = 0.62
"""Share that it may take where that keeps the photo's sides out of sight."""

_HEADROOM = 0.07
"""Share of the canvas's height above the head."""

_SHOULDERS = 2.9
"""How many faces wide the canvas is at least."""

_BUST_INSET = 0.6
"""How far a rounded side reaches inwards, in heights of what it rounds off; at most `_BUST_SHARE` of the width."""

_BUST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a photo, in its pixels; it may reach beyond it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom

    def within(self, size: Size) -> "Box":
        """What of it lies on a photo of `size`."""
        return Box(max(0.0, self.left), max(0.0, self.top), min(size[0], self.right), min(size[1], self.bottom))

    def scaled(self, x: float, y: float) -> "Box":
        return Box(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def onto(self, part: "Box", size: Size) -> tuple[int, int, int, int]:
        """The edges of `part` in whole pixels of a canvas of `size` that shows this box."""
        scale = size[1] / self.height
        left, right = (min(size[0], max(0, round((x - self.left) * scale))) for x in (part.left, part.right))
        top, bottom = (min(size[1], max(0, round((y - self.top) * scale))) for y in (part.top, part.bottom))
        return left, top, right, bottom


def frame(matte: Matte, face: Face, ratio: float) -> Box:
    """The box of shape `ratio` (width divided by height) to show of the person in `matte` whose face is `face`."""
    person = matte > PERSON
    top, bottom = _ends(person, face)
    head = max(face.y + face.height / 2 - top, face.height)
    headroom = _HEADROOM if top > 0 else 0.0  # a head that the photo cuts off goes against the canvas's edge
    height = max(head / _HEAD, _SHOULDERS * face.size / ratio)
    height = min(height, (bottom - top) / (1.0 - headroom))
    without_sides = 2.0 * _room_beside(person, face.x) / ratio
    height = max(min(height, without_sides), min(height, head / _LARGEST_HEAD))
    left, top = face.x - height * ratio / 2.0, top - headroom * height
    return Box(left, top, left + height * ratio, top + height)


def _ends(person: NDArray[np.bool_], face: Face) -> tuple[float, float]:
    """The first row of the person's head, and the one after the last of the body below it."""
    columns = slice(max(0, round(face.x - face.size / 2)), round(face.x + face.size / 2))
    rows = np.flatnonzero(person[:, columns].any(axis=1))
    return float(rows[0]), float(rows[-1] + 1)


def _room_beside(person: NDArray[np.bool_], x: float) -> float:
    """How far a frame around column `x` may reach without showing where the photo cuts the person."""
    left = x if person[:, 0].any() else np.inf
    right = person.shape[1] - x if person[:, -1].any() else np.inf
    return min(left, right)


def bust(matte: Matte, *, left: bool, right: bool) -> Matte:
    """`matte` with the person's cut sides rounded off from the shoulder down, on the sides named."""
    if left:
        matte = matte * _curve(matte)
    if right:
        matte = matte * _curve(matte[:, ::-1])[:, ::-1]
    return matte


def _curve(matte: Matte) -> Matte:
    """0 outside a quarter of an ellipse from where the shoulder meets column 0 down to the bottom; else 1."""
    height, width = matte.shape
    shoulder = next(iter(np.flatnonzero(matte[:, 0] > PERSON)), height)
    drop = max(1, height - shoulder)
    inset = min(_BUST_INSET * drop, _BUST_SHARE * width)
    depth = np.clip((np.arange(height) - shoulder) / drop, 0.0, 1.0)
    edge = inset * (1.0 - np.sqrt(1.0 - depth**2))
    inside = np.clip(np.arange(width)[None, :] - edge[:, None] + 1.0, 0.0, 1.0)
    return np.asarray(inside, np.float32)
