"""How large a picture may be, and what is decoded of one that is larger than needed."""

import numpy as np
import pytest
from PIL import Image

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, check, decode, size_of
from tests.media.photo_files import exif, in_jpeg, photo, saved, segment
from tests.media.png_files import RGB, PngFile

LIMITS = PictureLimits()
HERE = PictureLimits(pixels=10_000)


def sized(file_format: str, size: tuple[int, int], **options: object) -> bytes:
    return saved(Image.new("RGB", size, "peru"), file_format, **options)


@pytest.mark.parametrize("size", [(8064, 6048), (8160, 6120), (6120, 8160)])
def test_the_default_takes_photos_of_todays_phones(size: tuple[int, int]) -> None:
    """48 and 50 megapixels are decoded at half of their sides, 200 at a quarter."""
    file = sized("JPEG", size)
    check(file, LIMITS)
    assert decode(file, LIMITS).size == (size[0] // 2, size[1] // 2)
    assert size_of(file, LIMITS) == size


def test_the_default_takes_200_megapixels() -> None:
    """At a quarter of the sides, since half of them would still be too many pixels."""
    file = sized("JPEG", (16_320, 12_240))
    check(file, LIMITS)
    assert decode(file, LIMITS).size == (4080, 3060)


@pytest.mark.parametrize(
    ("size", "options", "decoded_to"),
    [
        ((100, 100), {}, (100, 100)),
        ((101, 100), {}, (51, 50)),
        ((201, 199), {}, (101, 100)),
        ((244, 244), {}, (61, 61)),
        ((118, 118), {"progressive": True}, (59, 59)),
        ((59, 59), {"quality": 5}, (59, 59)),
        ((15, 4000), {}, (4, 1000)),
    ],
)
def test_a_jpeg_is_decoded_to_what_the_limit_allows(
    size: tuple[int, int], options: dict[str, object], decoded_to: tuple[int, int]
) -> None:
    """By halves, and no smaller than need be."""
    assert decode(sized("JPEG", size, **options), HERE).size == decoded_to


def test_what_is_decoded_smaller_is_the_same_picture() -> None:
    """It differs from the whole one, made smaller, by no more than two ways of averaging do."""
    whole = photo((240, 160))
    small = decode(saved(whole, "JPEG", quality=95, subsampling=0), HERE)
    expected = whole.resize(small.size, Image.Resampling.BOX)
    assert small.size == (120, 80)
    assert np.abs(np.asarray(small, int) - np.asarray(expected, int)).mean() < 2


@pytest.mark.parametrize(
    ("side", "decoded_to"), [(240, (240, 160)), (121, (240, 160)), (120, (120, 80)), (60, (60, 40)), (1, (30, 20))]
)
def test_where_fewer_pixels_do_fewer_are_decoded(side: int, decoded_to: tuple[int, int]) -> None:
    """The longer side keeps at least as many as were asked for."""
    assert decode(saved(photo((240, 160)), "JPEG"), LIMITS, side=side).size == decoded_to
    assert decode(saved(photo((240, 160))), LIMITS, side=side).size == (240, 160)


REFUSED = {
    "a PNG": (sized("PNG", (101, 100)), "10,000"),
    "a PNG with 16 bits": (PngFile(RGB, 16, size=(101, 100)).encoded(), "10,000"),
    "a lossy WebP": (sized("WEBP", (101, 100)), "10,000"),
    "a lossless WebP": (sized("WEBP", (101, 100), lossless=True), "10,000"),
    "an animated WebP": (
        sized("WEBP", (101, 100), save_all=True, append_images=[Image.new("RGB", (101, 100))]),
        "10,000",
    ),
    "a JPEG": (sized("JPEG", (245, 245)), "60,000"),
    "a JPEG on its side": (in_jpeg(sized("JPEG", (245, 245)), segment(0xE1, b"Exif\0\0" + exif(6))), "60,000"),
    "a JPEG behind much metadata": (
        in_jpeg(sized("JPEG", (245, 245)), *[segment(0xE1, bytes(65_000))] * 50),
        "60,000",
    ),
    "a progressive JPEG": (sized("JPEG", (119, 119), progressive=True), "14,000"),
}


@pytest.mark.parametrize(("file", "limit"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_too_large_is_refused_by_its_header(file: bytes, limit: str) -> None:
    """At once and when it is decoded, in the same words, which name the limit."""
    message = f"^The picture has more than {limit} pixels: send a smaller one.$"
    with pytest.raises(InvalidImage, match=message):
        decode(file, HERE)
    with pytest.raises(InvalidImage, match=message):
        check(file, HERE)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_the_header_alone_is_enough(file_format: str) -> None:
    """And it says nothing of whether the rest is there: that is for the decoder."""
    large, small = (sized(file_format, size)[:700] for size in ((300, 300), (90, 90)))
    with pytest.raises(InvalidImage, match="pixels"):
        check(large, HERE)
    check(small, HERE)


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 "])
def test_what_has_no_header_is_left_to_the_decoder(head: bytes) -> None:
    """It may be one that can be repaired."""
    check(head + b"and so on", HERE)
    with pytest.raises(InvalidImage, match="damaged"):
        decode(head + b"and so on", HERE)
