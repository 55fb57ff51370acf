"""Finds faces with BlazeFace (Bazarevsky et al., 2019), at several scales: it knows only faces that fill its view."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil

import cv2
import numpy as np

from deployments.engines.local.networks import face_detector
from deployments.engines.local.pixels import Floats, Rgb

_LOOKS = ((1.0, 0.6), (0.36,), (0.22,))
"""Sides of the tiles to look at, in longest sides of the photo; the next look only if the last one found nothing."""

_WHOLE_SCORE, _TILE_SCORE = 0.7, 0.85
"""How sure the detector must be: tiles are many, and foliage and stars reach 0.8 in some."""

_SAME_FACE = 0.3
"""Two boxes that share more of the smaller one are one face."""

_INPUT_SIDE = 128
_GRIDS = ((16, 2), (8, 6))
"""The detector's two feature maps: cells a side, anchors a cell."""


@dataclass(frozen=True, slots=True)
class Face:
    """A box from the brows to the chin: its middle and size in pixels of a photo, and the detector's score, 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    score: float

    @property
    def size(self) -> float:
        return max(self.width, self.height)

    def seen_from(self, left: float, top: float, scale: float) -> "Face":
        """The same face in a part of the photo that starts at `left`, `top`, enlarged by `scale`."""
        x, y = (self.x - left) * scale, (self.y - top) * scale
        return Face(x, y, self.width * scale, self.height * scale, self.score)


@dataclass(frozen=True, slots=True)
class _Tile:
    """A square of a photo; it may reach beyond it."""

    left: int
    top: int
    side: int


def find_faces(photo: Rgb) -> list[Face]:
    """The faces in `photo` whose middle lies on it, the largest first."""
    height, width = photo.shape[:2]
    for shares in _LOOKS:
        seen = (face for share in shares for tile in _tiles(photo, share) for face in _faces_in(photo, tile))
        found = [face for face in seen if 0 <= face.x < width and 0 <= face.y < height]
        if found:
            return sorted(_distinct(found), key=lambda face: face.size, reverse=True)
    return []


def _tiles(photo: Rgb, share: float) -> Iterator[_Tile]:
    """Overlapping squares that cover `photo`."""
    height, width = photo.shape[:2]
    side = max(1, round(max(height, width) * share))
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield _Tile(left, top, side)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles start so that they cover `length` and overlap by at least half; one that is larger is centred."""
    if side >= length:
        return [(length - side) // 2]
    steps = ceil(2 * length / side) - 2
    return [round((length - side) * step / steps) for step in range(steps + 1)]


def _faces_in(photo: Rgb, tile: _Tile) -> Iterator[Face]:
    boxes, logits = face_detector().run(_pixels(photo, tile))
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[0, :, 0], -50.0, 50.0)))
    least = _WHOLE_SCORE if tile.side >= max(photo.shape) else _TILE_SCORE
    for index in np.flatnonzero(scores >= least):
        x, y = (boxes[0, index, :2] / _INPUT_SIDE + _anchors()[index]) * tile.side
        width, height = boxes[0, index, 2:4] / _INPUT_SIDE * tile.side
        yield Face(tile.left + float(x), tile.top + float(y), float(width), float(height), float(scores[index]))


def _pixels(photo: Rgb, tile: _Tile) -> Rgb:
    """The pixels of `tile`; black where it reaches beyond the photo."""
    inside = photo[max(0, tile.top) : tile.top + tile.side, max(0, tile.left) : tile.left + tile.side]
    above, before = max(0, -tile.top), max(0, -tile.left)
    below, after = tile.side - above - inside.shape[0], tile.side - before - inside.shape[1]
    return np.asarray(cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT), np.uint8)


@cache
def _anchors() -> Floats:
    """(896, 2): the points (x, y) that the boxes are relative to, 0 to 1."""
    points = []
    for cells, repeats in _GRIDS:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        points.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0))
    return np.concatenate(points)


def _distinct(faces: list[Face]) -> list[Face]:
    """`faces` without those that a surer one covers."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if all(_shared(face, other) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _shared(one: Face, other: Face) -> float:
    """How much of the smaller box lies in the other: tiles see parts of a face as faces too."""
    width = (one.width + other.width) / 2 - abs(one.x - other.x)
    height = (one.height + other.height) / 2 - abs(one.y - other.y)
    width, height = min(width, one.width, other.width), min(height, one.height, other.height)
    return max(0.0, width) * max(0.0, height) / min(one.width * one.height, other.width * other.height)
