"""Cutting people out: `matting` and `cutout`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployments.engines.local.cutout import cut_out_people
from deployments.engines.local.matting import cut

DATA = Path(__file__).parents[2] / "data"
NAMES = ("astronaut", "grace_hopper")


def photo(name: str) -> Image.Image:
    return Image.open(DATA / f"{name}.jpg").convert("RGB")


def agreement(alpha: Image.Image, name: str) -> float:
    """Intersection over union with the mask that was checked by eye."""
    expected = np.asarray(Image.open(DATA / f"{name}_mask.png").convert("L")) > 127
    found = np.asarray(alpha.resize((expected.shape[1], expected.shape[0]), Image.Resampling.BOX)) > 127
    return float((found & expected).sum() / (found | expected).sum())


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_out_shows_the_person_and_nothing_else(name: str) -> None:
    """It has the photo's size and mode RGBA, and agrees with the mask that was checked by eye."""
    image = cut_out_people(photo(name))
    assert (image.size, image.mode) == (photo(name).size, "RGBA")
    assert agreement(image.getchannel("A"), name) > 0.96
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_large_photo_keeps_its_size_and_detail(name: str) -> None:
    """A photo larger than the working copy is cut as well, and inside the person its own pixels are left alone."""
    large = photo(name).resize((1536, 1536 * photo(name).height // photo(name).width))
    image = cut_out_people(large)
    assert image.size == large.size
    assert agreement(image.getchannel("A"), name) > 0.95
    pixels, whole = np.asarray(image), np.asarray(large)
    inside = pixels[..., 3] == 255
    assert inside.mean() > 0.3
    assert np.array_equal(pixels[inside][:, :3], whole[inside])


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


def test_the_same_photo_gives_the_same_pixels() -> None:
    """Cutting out is deterministic, whatever was cut in between."""
    first = cut_out_people(photo("astronaut"))
    cut_out_people(photo("grace_hopper"))
    assert first.tobytes() == cut_out_people(photo("astronaut")).tobytes()
