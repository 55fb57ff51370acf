"""Where a portrait's edges lie, and what becomes of a person whom the photo cuts off."""

import numpy as np

from deployments.engines.local.faces import Face
from deployments.engines.local.framing import bust, frame


def silhouette(width: int, height: int) -> np.ndarray:
    """A head of 100 by 130 pixels around (width / 2, 115), on shoulders as wide as the photo from row 200 down."""
    matte = np.zeros((height, width), np.float32)
    matte[50:200, width // 2 - 50 : width // 2 + 50] = 1.0
    matte[200:] = 1.0
    return matte


def test_a_frame_hides_where_the_photo_cuts_the_person() -> None:
    """Where the shape allows, the frame ends at or before the photo's sides, and at its bottom at the latest."""
    box = frame(silhouette(400, 500), Face(200, 130, 90, 100, 1.0), ratio=4 / 3)
    assert box.left >= 0
    assert box.right <= 400
    assert box.bottom <= 500
    assert box.top < 50


def test_a_head_that_the_photo_cuts_touches_the_edge() -> None:
    """There is no room above a head whose top is missing: the cut lies on the canvas's edge."""
    matte = silhouette(400, 500)[60:]
    assert frame(matte, Face(200, 70, 90, 100, 1.0), ratio=1.0).top == 0


def test_cut_sides_are_rounded_off() -> None:
    """A bust starts at the shoulder, narrows downwards on the sides named, and leaves everything else alone."""
    matte = silhouette(400, 500)
    rounded = bust(matte, left=True, right=False)
    edge = (rounded[200:] < 0.5).sum(axis=1)
    assert edge[0] == 0
    assert edge[-1] > 40
    assert np.all(np.diff(edge) >= 0)
    assert np.array_equal(rounded[:, 200:], matte[:, 200:])
    assert np.array_equal(rounded[:200], matte[:200])
    assert np.array_equal(bust(matte, left=False, right=True), rounded[:, ::-1])
