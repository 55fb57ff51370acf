"""Finds the people in a photo: their faces, and roughly which pixels are theirs.

The segmenter was trained on video calls. It knows people who fill its view, and takes lions and towers for people too:
so a face, found by another network, must vouch for each person, and the segmenter looks at each of them from nearby.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from deployments.engines.local.faces import Face, find_faces
from deployments.engines.local.networks import person_segmenter
from deployments.engines.local.pixels import PERSON, Matte, Rgb
from deployments.errors import NoPersonFound

_CLOSE_UP = (1.7, 2.6, 3.6)
_FULL_FIGURE = (1.7, 2.9, 10.0)
"""How far a view reaches above, beside and below the middle of a face, in face sizes."""

_MOST_PEOPLE = 12
"""Beyond these, the smallest faces of a crowd are left out: each costs two looks."""


@dataclass(frozen=True, slots=True)
class People:
    """The faces (at least one), largest first, and a soft, blurry matte of all these people, as large as the photo."""

    faces: list[Face]
    matte: Matte


def nobody() -> NoPersonFound:
    """What is raised where no person is seen."""
    return NoPersonFound("No person was found in the picture: use a photo that shows a face clearly.")


def find_people(photo: Rgb) -> People:
    """The people in `photo`.

    Raises:
        NoPersonFound: no face is in it, or nothing around the faces looks like a person.
    """
    matte = np.zeros(photo.shape[:2], np.float32)
    faces = []
    for face in find_faces(photo)[:_MOST_PEOPLE]:
        close_up = _look(photo, face, _CLOSE_UP)
        if close_up[_middle(face, matte.shape)].mean() > PERSON:
            faces.append(face)
            matte = np.maximum(matte, np.maximum(close_up, _look(photo, face, _FULL_FIGURE)))
    if not faces:
        raise nobody()
    return People(faces, islands(matte, faces))


def look_again(view: Rgb, rough: Matte, face: Face) -> Matte:
    """`rough`, a matte of `view`, and a second opinion on just this view; only the island of `face`.

    A second opinion that sees less than half of the person is wrong, and is left out.
    """
    agreed = islands((rough + _segment(view)) / 2.0, [face])
    return agreed if 2 * _area(agreed) >= _area(islands(rough, [face])) else rough


def islands(matte: Matte, faces: list[Face]) -> Matte:
    """`matte` without what is not connected to one of `faces`."""
    _, labels = cv2.connectedComponents((matte > PERSON).astype(np.uint8))
    inhabited = {label for face in faces for label in np.unique(labels[_middle(face, matte.shape)])} - {0}
    land = np.isin(labels, list(inhabited)).astype(np.uint8)
    shore = max(3, max(matte.shape) // 50)  # how far the soft edge of an island reaches
    return matte * cv2.dilate(land, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (shore, shore)))


def _area(matte: Matte) -> int:
    return int(np.count_nonzero(matte > PERSON))


def _look(photo: Rgb, face: Face, reach: tuple[float, float, float]) -> Matte:
    """What the segmenter says of the view around `face`; nothing elsewhere."""
    above, beside, below = (times * face.size for times in reach)
    height, width = photo.shape[:2]
    rows = slice(max(0, round(face.y - above)), min(height, round(face.y + below)))
    columns = slice(max(0, round(face.x - beside)), min(width, round(face.x + beside)))
    matte = np.zeros((height, width), np.float32)
    matte[rows, columns] = _segment(photo[rows, columns])
    return matte


def _segment(view: Rgb) -> Matte:
    """The mean of what the segmenter says of `view` and of its mirror image: much of its noise is in only one."""
    (mask,) = person_segmenter().run(view)
    (mirrored,) = person_segmenter().run(view[:, ::-1])
    mean = (mask[0, 0] + mirrored[0, 0, :, ::-1]) / 2.0
    return np.asarray(cv2.resize(mean, (view.shape[1], view.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _middle(face: Face, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The inner part of a face's box, of at least one pixel, even where the box reaches out of the photo."""
    return _inner(face.y, face.height, shape[0]), _inner(face.x, face.width, shape[1])


def _inner(centre: float, size: float, length: int) -> slice:
    start = min(max(0, round(centre - size / 3)), length - 1)
    return slice(start, max(start + 1, round(centre + size / 3)))
