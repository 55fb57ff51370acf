"""A window of an enlargement is bit for bit Pillow's."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deployments.media.enlarge import enlarge

BICUBIC = Image.Resampling.BICUBIC


def noise(size: tuple[int, int], mode: str, seed: int = 1) -> Image.Image:
    """The hardest picture there is to resample: no two neighbours have anything to do with each other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    return Image.fromarray(pixels, mode)


def differing_pixels(one: Image.Image, other: Image.Image) -> int:
    assert one.mode == other.mode
    assert one.size == other.size
    return int((np.asarray(one) != np.asarray(other)).any(axis=-1).sum())


def test_a_window_of_the_same_size_keeps_every_pixel() -> None:
    """Pillow copies there: colours behind transparency are not rounded."""
    image = noise((1, 1), "RGBA")
    assert differing_pixels(enlarge(image, (1, 1), (0, 0, 1, 1)), image.resize((1, 1), BICUBIC)) == 0


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.floats(1, 20), st.floats(1, 20)),
    st.data(),
    st.sampled_from(["RGB", "RGBA"]),
)
def test_a_window_is_what_pillow_makes(
    source: tuple[int, int], factors: tuple[float, float], data: st.DataObject, mode: str
) -> None:
    """Any window of any enlargement is bit for bit Pillow's."""
    image = noise(source, mode)
    width, height = (math.floor(side * factor + 0.5) for side, factor in zip(source, factors, strict=True))
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    window = (left, top, data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height)))
    assert (
        differing_pixels(enlarge(image, (width, height), window), image.resize((width, height), BICUBIC).crop(window))
        == 0
    )
