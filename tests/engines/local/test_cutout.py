"""People are cut out of photos whole, and nothing else with them."""

import numpy as np
import pytest
from PIL import Image

from deployments.engines.local.cutout import cut_out_people
from tests.engines.local.photos import DATA, NAMES, photo


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


def test_the_same_photo_gives_the_same_pixels() -> None:
    """Cutting out is deterministic, whatever was cut in between."""
    first = cut_out_people(photo("astronaut"))
    cut_out_people(photo("grace_hopper"))
    assert first.tobytes() == cut_out_people(photo("astronaut")).tobytes()
