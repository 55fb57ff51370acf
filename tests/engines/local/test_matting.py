"""The fine edge of a person: how much of each pixel is theirs, and in which colour."""

import numpy as np
import pytest

from deployments.engines.local.matting import cut


def test_edges_hold_no_background() -> None:
    """A dark figure before white: no half-transparent pixel is brighter than the figure, so no halo shows on black."""
    scene = np.full((400, 400, 3), 255, np.uint8)
    rows, columns = np.mgrid[:400, :400]
    distance = np.hypot(rows - 200, columns - 200)
    coverage = np.clip(120.5 - distance, 0, 1)[..., None]
    scene = (scene * (1 - coverage) + np.array([40, 30, 20]) * coverage).astype(np.uint8)
    rough = np.clip((130 - distance) / 20, 0, 1).astype(np.float32)
    subject = cut(scene, rough)
    edge = (subject.matte > 0.02) & (subject.matte < 0.98)
    assert edge.any()
    assert subject.colours[edge].max() < 100
    assert abs(float(subject.matte.sum()) / (np.pi * 120**2) - 1.0) < 0.02


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_matte_of_one_value_is_kept(value: float) -> None:
    """Where there is no edge to refine, nothing is invented and nothing raises."""
    picture = np.full((40, 30, 3), 128, np.uint8)
    subject = cut(picture, np.full((40, 30), value, np.float32))
    assert np.all(subject.matte == value)
