"""Faces are found where they are."""

import numpy as np
import pytest

from deployments.engines.local.faces import find_faces
from tests.engines.local.photos import photo


@pytest.mark.parametrize(("name", "x", "y", "size"), [("astronaut", 225, 125, 105), ("grace_hopper", 267, 245, 197)])
def test_a_face_is_found_where_it_is(name: str, x: int, y: int, size: int) -> None:
    """A portrait has exactly one face, and its box is right within a tenth of its size."""
    (face,) = find_faces(np.asarray(photo(name)))
    assert abs(face.x - x) < size / 10
    assert abs(face.y - y) < size / 10
    assert abs(face.size - size) < size / 8
