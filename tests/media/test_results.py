"""The promises of deployments.media.results that no stage's own test holds."""

import numpy as np
import pytest
from PIL import Image

from deployments.errors import EngineError, InvalidImage
from deployments.media.compose import Placement, compose
from deployments.media.images import PictureLimits, decode, encode, is_opaque
from deployments.media.results import cut_out_result, opacity_and_size, overlay_result
from deployments.media.sizes import AspectRatio, Size
from tests.media.photo_files import photo, saved

LIMITS = PictureLimits()
CANVAS = (64, 48)
BACKGROUND = encode(Image.new("RGB", CANVAS, "green"))


def placed(person: bytes, person_size: Size | None, limits: PictureLimits = LIMITS) -> Image.Image:
    """The overlay of `person` at 10, 6, a quarter as large as it is."""
    made = overlay_result(
        BACKGROUND, person, CANVAS, placement=Placement(10, 6, 0.25), limits=limits, person_size=person_size
    )
    return decode(made, LIMITS)


def covered(overlay: Image.Image) -> tuple[int, int, int, int] | None:
    """Where the background does not show."""
    return Image.fromarray((np.asarray(overlay) != (0, 128, 0)).any(axis=2)).getbbox()


def test_a_cut_out_is_transparent_in_the_ratio_that_was_asked() -> None:
    """What is cropped away does not count."""
    wide = Image.new("RGBA", (160, 90))
    wide.paste("red", (30, 0, 130, 90))
    assert not is_opaque(decode(cut_out_result(encode(wide), AspectRatio.WIDE, LIMITS), LIMITS))
    with pytest.raises(EngineError, match="without transparency: try another photo or another ratio"):
        cut_out_result(encode(wide), AspectRatio.SQUARE, LIMITS)


def test_a_cut_out_shows_something() -> None:
    wide = Image.new("RGBA", (160, 90))
    for empty in (wide.copy(), wide):
        with pytest.raises(EngineError, match="an empty picture"):
            cut_out_result(encode(empty), AspectRatio.SQUARE, LIMITS)
        wide.paste("red", (0, 0, 10, 90))


@pytest.mark.parametrize("cut_out_at", [1, 2, 4])
def test_scale_means_the_pixels_of_the_callers_picture(cut_out_at: int) -> None:
    """Also where the person was cut out of a picture that had been decoded smaller."""
    cut_out = Image.new("RGBA", (120 // cut_out_at, 80 // cut_out_at), (200, 0, 0, 255))
    assert covered(placed(encode(cut_out), (120, 80))) == (10, 6, 40, 26)


def test_scale_means_the_pixels_of_a_large_jpeg() -> None:
    """One that is decoded smaller here keeps its size on the canvas."""
    person = saved(Image.new("RGB", (120, 80), "red"), "JPEG")
    assert covered(placed(person, None, PictureLimits(pixels=4000))) == (10, 6, 40, 26)


def test_a_size_of_another_shape_does_not_count() -> None:
    """A model that returns another shape returns another picture: its own pixels count."""
    cut_out = Image.new("RGBA", (40, 80), (200, 0, 0, 255))
    assert covered(placed(encode(cut_out), (120, 80))) == (10, 6, 20, 26)


@pytest.mark.parametrize("scale", [0.3, 1.0, 7.77, 20.0])
def test_a_smaller_copy_is_enlarged_as_pillow_does(scale: float) -> None:
    """Also where only the part that shows is made."""
    person, own_size = photo((61, 41), "RGBA"), (121, 81)
    size = tuple(max(1, int(side * scale + 0.5)) for side in own_size)
    expected = Image.new("RGB", CANVAS, "white")
    whole = person.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    expected.paste(whole, (-5, -9), whole)
    made = compose(Image.new("RGB", CANVAS, "white"), person, CANVAS, Placement(-5, -9, scale), own_size)
    assert made.tobytes() == expected.tobytes()


def test_opacity_and_size_are_those_of_the_file() -> None:
    """A JPEG of any size is opaque; a PNG is where no pixel is transparent."""
    large = saved(Image.new("RGB", (240, 160)), "JPEG")
    assert opacity_and_size(large, PictureLimits(pixels=10_000)) == (True, (240, 160))
    assert opacity_and_size(encode(Image.new("RGBA", (9, 7), (0, 0, 0, 254))), LIMITS) == (False, (9, 7))
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        opacity_and_size(large[:400], LIMITS)


def test_what_was_cut_out_may_weigh_more_than_its_photo() -> None:
    """The limit of bytes is for what comes in: a PNG of a large photo's person has more of them than the JPEG had."""
    cut_out = encode(photo((64, 64), "RGBA"))
    limits = PictureLimits(bytes=len(cut_out) - 1)
    assert cut_out_result(cut_out, None, limits) == cut_out
    assert placed(cut_out, (64, 64), limits).size == CANVAS
    with pytest.raises(EngineError, match="The image model returned something that is no usable picture"):
        cut_out_result(cut_out, None, PictureLimits(pixels=64))
