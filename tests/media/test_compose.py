"""The composition is exact: it is compared with the rule itself, pixel by pixel."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from deployments.media.compose import Placement, compose
from deployments.media.sizes import CanvasSize

CANVAS = (64, 36)
BICUBIC = Image.Resampling.BICUBIC


def noise(size: tuple[int, int], mode: str, seed: int = 1) -> Image.Image:
    """The hardest picture there is to resample: no two neighbours have anything to do with each other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    return Image.fromarray(pixels, mode)


def by_the_rule(
    background: Image.Image, person: Image.Image, size: tuple[int, int], position: tuple[float, float, float]
) -> Image.Image:
    """The API's rule, written down once more as plainly as can be, for opaque backgrounds."""
    x, y, scale = position
    canvas = ImageOps.fit(background, size, BICUBIC)
    width, height = (max(1, math.floor(side * scale + 0.5)) for side in person.size)
    scaled = person.resize((width, height), BICUBIC).convert("RGBA")
    canvas.paste(scaled, (math.floor(x + 0.5), math.floor(y + 0.5)), scaled)
    return canvas


def differing_pixels(one: Image.Image, other: Image.Image) -> int:
    assert one.mode == other.mode
    assert one.size == other.size
    return int((np.asarray(one) != np.asarray(other)).any(axis=-1).sum())


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.sampled_from(["RGB", "RGBA"]),
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.floats(0.01, 8),
)
@example((40, 30), "RGBA", -0.5, 0.5, 1.0)
@example((40, 30), "RGBA", 0.49, -0.51, 0.0375)
def test_ordinary_compositions_follow_the_rule(
    person_size: tuple[int, int], mode: str, x: float, y: float, scale: float
) -> None:
    """Not one pixel differs, for persons of any size, with and without transparency, also over the edges."""
    background, person = noise((50, 70), "RGB"), noise(person_size, mode, seed=2)
    made = compose(background, person, CANVAS, Placement(x, y, scale))
    assert differing_pixels(made, by_the_rule(background, person, CANVAS, (x, y, scale))) == 0


@pytest.mark.parametrize("preset", CanvasSize)
def test_every_preset_has_its_pixels(preset: CanvasSize) -> None:
    """An overlay is opaque and has exactly the preset's size."""
    made = compose(noise((33, 44), "RGBA"), noise((9, 9), "RGBA"), preset.pixels, Placement(1, 2, 3))
    assert (made.mode, made.size) == ("RGB", preset.pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    ("person_size", "x", "y", "scale"),
    [
        ((300, 260), -2000.4, -1500.6, 20.0),
        ((700, 500), -3333.0, -4000.0, 9.7),
        ((1601, 977), -3700.0, -3000.0, 3.777),
        ((5000, 3), -16, -3, 19.99),
        ((2100, 2100), 40, 20, 2.01),
        ((2100, 2100), -900, -900, 1.0001),
        ((10, 500_000), 3, -9000, 1.01),
        ((1500, 1250), -2777, -1555, 2.600001),
        ((2300, 2000), -1000, -500, 0.97),
    ],
)
def test_huge_persons_follow_the_rule_too(
    mode: str, person_size: tuple[int, int], x: float, y: float, scale: float
) -> None:
    """Where only the visible part is made, it is still the part that the whole would show: not one pixel differs."""
    background, person = noise((64, 36), "RGB"), noise(person_size, mode, seed=3)
    made = compose(background, person, CANVAS, Placement(x, y, scale))
    assert differing_pixels(made, by_the_rule(background, person, CANVAS, (x, y, scale))) == 0


@pytest.mark.parametrize(
    ("x", "y", "scale"),
    [(1e300, 0, 20), (-1e300, -1e300, 20), (0, 1e18, 1), (64, 0, 1), (0, 35.5, 1), (-8000, 0, 20), (-400.6, 0, 1)],
)
def test_a_person_beyond_the_canvas_leaves_the_background(x: float, y: float, scale: float) -> None:
    """However far away, and however large, nothing breaks and nothing shows."""
    background, person = noise((64, 36), "RGB"), noise((400, 300), "RGBA")
    assert differing_pixels(compose(background, person, CANVAS, Placement(x, y, scale)), background) == 0


@pytest.mark.parametrize("person_size", [(8000, 5000), (40_000_000, 1), (1, 40_000_000)])
def test_the_largest_enlargement_is_affordable(person_size: tuple[int, int]) -> None:
    """40 million pixels at scale 20 would be 16 thousand million: only those on the canvas are made."""
    person = Image.new("RGB", person_size, "red")
    made = compose(noise((64, 36), "RGB"), person, CANVAS, Placement(-10, -10, 20))
    assert made.getpixel((0, 0)) == (255, 0, 0)


def test_a_transparent_background_becomes_white() -> None:
    """An overlay is opaque: where the background is not, white shows."""
    background = Image.new("RGBA", (64, 36), (200, 0, 0, 0))
    background.paste((200, 0, 0, 255), (0, 0, 32, 36))
    made = compose(background, Image.new("RGBA", (1, 1)), CANVAS, Placement(0, 0, 1))
    assert (made.getpixel((10, 10)), made.getpixel((60, 10))) == ((200, 0, 0), (255, 255, 255))


def test_pictures_are_not_changed() -> None:
    """A composition of the canvas's own size does not paint on the background that was handed in."""
    background = Image.new("RGB", CANVAS, "blue")
    compose(background, Image.new("RGB", (9, 9), "red"), CANVAS, Placement(0, 0, 1))
    assert background.getpixel((0, 0)) == (0, 0, 255)
