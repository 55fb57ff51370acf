"""Every kind of PNG shows exactly the pixels that the specification says: what PngSuite tests, computed with numpy."""

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, decode
from tests.media.png_files import DEPTHS, GREY, GREY_ALPHA, PALETTE, RGB, RGBA, PngFile, chunk

LIMITS = PictureLimits()
KINDS = [(colour, depth) for colour, depths in DEPTHS.items() for depth in depths]


def assert_shows(file: bytes, pixels: NDArray[np.uint8]) -> None:
    """Not one sample differs, and there is an alpha channel where there should be one."""
    image = decode(file, LIMITS)
    assert image.mode == ("RGB" if pixels.shape[2] == 3 else "RGBA")
    np.testing.assert_array_equal(np.asarray(image), pixels)


def of_kind(colour: int, depth: int, **more: object) -> PngFile:
    return replace(PngFile(colour, depth, colours=min(200, 1 << depth) if colour == PALETTE else 0), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_every_colour_type_and_depth(colour: int, depth: int, interlaced: bool) -> None:
    """With and without Adam7, through all five filters."""
    png = of_kind(colour, depth, interlaced=interlaced)
    assert_shows(png.encoded(), png.pixels())


@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
@pytest.mark.parametrize(("colour", "depth"), [kind for kind in KINDS if kind[0] in {GREY, RGB}])
def test_a_key_colour_is_transparent_and_no_other(colour: int, depth: int, interlaced: bool) -> None:
    """Exactly the pixels of that colour, whatever the depth: all their bits count, and none besides."""
    png = of_kind(colour, depth, interlaced=interlaced, size=(40, 30)).with_key()
    pixels = png.pixels()
    assert (pixels[..., 3] == 0).any()
    assert (pixels[..., 3] == 255).any()
    assert_shows(png.encoded(), pixels)


@pytest.mark.parametrize("difference", [(1, 0, 0), (0, 256, 0), (0, 0, 255)])
def test_a_deep_key_colour_has_all_of_its_bits(difference: tuple[int, int, int]) -> None:
    """Of 16-bit colours that look alike in 8 bits, only the named one is transparent."""
    png = PngFile(RGB, 16)
    other = (png.samples[2, 3] ^ np.array(difference, np.uint16)).astype(">u2").tobytes()
    assert (replace(png, transparency=other).pixels()[..., 3] == 255).all()
    assert_shows(replace(png, transparency=other).encoded(), replace(png, transparency=other).pixels())


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_bits_beyond_the_depth_do_not_count(depth: int) -> None:
    """A key colour has 16 bits a sample in the file; decoders mask those that the picture's samples have not."""
    png = PngFile(GREY, depth).with_key()
    (value,) = struct.unpack(">H", png.transparency)
    high = struct.pack(">H", value | (0xFFFF << depth & 0xFFFF))
    assert_shows(replace(png, transparency=high).encoded(), png.pixels())


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("alphas", [b"\0", b"\x80", b"\xff\0", b"\x10\x20"])
@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
def test_a_palette_has_an_alpha_for_each_colour(depth: int, alphas: bytes, interlaced: bool) -> None:
    """Fewer alphas than colours are fine: the others are opaque."""
    png = of_kind(PALETTE, depth, transparency=alphas, interlaced=interlaced)
    assert_shows(png.encoded(), png.pixels())


@pytest.mark.parametrize("side", range(1, 10))
@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
def test_small_pictures(side: int, interlaced: bool) -> None:
    """Sizes at which some of the seven passes are empty, and lines end within a byte."""
    for size in ((side, side), (side, 1), (1, side), (32 + side, 5)):
        png = of_kind(PALETTE, 1, size=size, interlaced=interlaced)
        assert_shows(png.encoded(), png.pixels())


def test_pixels_may_come_in_any_number_of_chunks() -> None:
    """Down to a byte in each, and empty ones in between."""
    png = PngFile(RGB, 8, pieces=10_000)
    assert png.encoded().count(b"IDAT") == 10_000
    assert_shows(png.encoded(), png.pixels())


def beside_the_rules() -> Iterator[tuple[str, bytes, PngFile]]:
    """Files that bend the rules, and what browsers show of them (tried in Chromium 150)."""
    rgb, palette = PngFile(RGB, 8), PngFile(PALETTE, 8, colours=7)
    keyed, other = rgb.with_key(), rgb.with_key(5, 5)
    yield "a key that is too short", replace(rgb, transparency=b"\0\1\0\2").encoded(), rgb
    yield "a key that is too long", replace(keyed, transparency=keyed.transparency + b"\0\0").encoded(), keyed
    yield "a second key", keyed.encoded(chunk(b"tRNS", other.transparency)), keyed
    yield "a key behind the pixels", rgb.encoded(behind=(chunk(b"tRNS", keyed.transparency),)), rgb
    yield "a key with a wrong checksum", rgb.encoded(chunk(b"tRNS", keyed.transparency, checksum=b"oops")), rgb
    yield (
        "a key for grey with alpha",
        replace(PngFile(GREY_ALPHA, 8), transparency=b"\0\1").encoded(),
        PngFile(GREY_ALPHA, 8),
    )
    yield "a key for RGBA", replace(PngFile(RGBA, 16), transparency=bytes(6)).encoded(), PngFile(RGBA, 16)
    yield (
        "more alphas than colours",
        replace(palette, transparency=b"\x80" * 9).encoded(),
        replace(palette, transparency=b"\x80" * 7),
    )
    colours, alphas = chunk(b"PLTE", palette.palette.tobytes()), chunk(b"tRNS", b"\x80" * 7)
    yield "alphas before the palette", palette.encoded().replace(colours, alphas + colours), palette
    yield "a palette that nobody needs", rgb.encoded(chunk(b"PLTE", bytes(30))), rgb
    yield "another IHDR", rgb.encoded(chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))), rgb


@pytest.mark.parametrize(
    ("file", "png"), [case[1:] for case in beside_the_rules()], ids=[case[0] for case in beside_the_rules()]
)
def test_bent_rules(file: bytes, png: PngFile) -> None:
    """The picture is what browsers show."""
    assert_shows(file, png.pixels())


def test_a_colour_that_the_palette_lacks_is_its_last() -> None:
    """As in browsers: there is a pixel, though its colour is missing."""
    png = PngFile(PALETTE, 8, colours=5)
    short = png.encoded().replace(
        chunk(b"PLTE", png.palette.tobytes()), chunk(b"PLTE", png.palette[:3].tobytes()) + chunk(b"tRNS", b"\1\2\3")
    )
    expected = np.column_stack([png.palette, np.array([1, 2, 3, 3, 3], np.uint8)])
    expected[3:, :3] = png.palette[2]
    assert_shows(short, expected[png.samples[..., 0]])


def with_header(depth: int, colour: int) -> bytes:
    """A picture whose header says something else than its pixels do."""
    file = PngFile(GREY, 8).encoded()
    return file[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, depth, colour, 0, 0, 0)) + file[33:]


BROKEN = {
    "a wrong checksum of the header": PngFile(GREY, 8).encoded()[:29] + b"oops" + PngFile(GREY, 8).encoded()[33:],
    "colour type 1": with_header(8, 1),
    "colour type 9": with_header(8, 9),
    "0 bits": with_header(0, GREY),
    "3 bits": with_header(3, GREY),
    "99 bits": with_header(99, RGB),
    "too few pixels": with_header(8, RGBA),
    "no pixels": PngFile(RGB, 8).encoded().replace(b"IDAT", b"iDAT"),
    "no palette": PngFile(PALETTE, 8, colours=4).encoded().replace(b"PLTE", b"pLTE"),
    "line ends changed": PngFile(RGB, 8).encoded().replace(b"\r\n", b"\n", 1),
    "a signature of seven bits": b"\x09" + PngFile(RGB, 8).encoded()[1:],
}


@pytest.mark.parametrize("file", BROKEN.values(), ids=BROKEN.keys())
def test_what_has_no_pixels_is_refused(file: bytes) -> None:
    """PngSuite's corrupt files: a header, a palette or pixels that are not there."""
    with pytest.raises(InvalidImage):
        decode(file, LIMITS)
