"""From stored pixels to those that a browser shows: in 8 bits, upright, in sRGB."""

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageCms

from deployments.media.images import PictureLimits, decode
from tests.media.containers.same import swapped
from tests.media.photo_files import gradient, pixels_of, saved
from tests.media.png_files import chunk, png

LIMITS = PictureLimits()
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.mark.parametrize("length", [0, 1_300_000, 5_000_000])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_profiles_of_any_length_count(file_format: str, length: int) -> None:
    """Scanners embed profiles of more than a megabyte; they change the colours as small ones do."""
    red = Image.new("RGB", (16, 16), (200, 0, 0))
    file = saved(red, file_format, icc_profile=swapped(length), quality=100, subsampling=0, lossless=True)
    shown = decode(file, LIMITS)
    assert np.abs(np.asarray(shown, int) - (0, 0, 200)).max() <= 2


def modes() -> Iterator[tuple[str, bytes, list[tuple[int, ...]]]]:
    """Name, file, and the pixels that it must decode to."""
    palette = chunk(b"PLTE", bytes(RED + GREEN))
    grey16 = b"\0" + struct.pack(">4H", 0, 0x8000, 0xFFFF, 0x8001)
    half, clear = (128, 128, 128), (128, 128, 128, 0)
    yield "1 bit", png((2, 1), 1, 0, b"\0\x40"), [(0, 0, 0), WHITE]
    yield "grey", png((2, 1), 8, 0, b"\0\0\x80"), [(0, 0, 0), half]
    yield "grey with a key", png((2, 1), 8, 0, b"\0\0\x80", chunk(b"tRNS", b"\0\x80")), [(0, 0, 0, 255), clear]
    yield "grey with alpha", png((1, 1), 8, 4, b"\0\x80\x40"), [(128, 128, 128, 64)]
    yield "palette", png((2, 1), 8, 3, b"\0\0\1", palette), [RED, GREEN]
    yield (
        "palette with alpha",
        png((2, 1), 8, 3, b"\0\0\1", palette, chunk(b"tRNS", b"\x40")),
        [
            (*RED, 64),
            (*GREEN, 255),
        ],
    )
    yield "16-bit grey", png((4, 1), 16, 0, grey16), [(0, 0, 0), half, WHITE, half]
    yield (
        "16-bit grey with a key",
        png((4, 1), 16, 0, grey16, chunk(b"tRNS", b"\x80\0")),
        [
            (0, 0, 0, 255),
            clear,
            (*WHITE, 255),
            (*half, 255),
        ],
    )
    yield "16-bit grey with alpha", png((1, 1), 16, 4, b"\0\x80\0\x40\0"), [(128, 128, 128, 64)]
    yield "16-bit RGB", png((1, 1), 16, 2, b"\0\xff\xff\x80\0\0\0"), [(255, 128, 0)]
    yield "16-bit RGBA", png((1, 1), 16, 6, b"\0\xff\xff\x80\0\0\0\x40\0"), [(255, 128, 0, 64)]
    yield "CMYK", saved(Image.new("CMYK", (1, 1), (0, 0, 0, 0)), "JPEG"), [WHITE]
    yield "grey JPEG", saved(Image.new("L", (1, 1), 255), "JPEG"), [WHITE]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in modes()], ids=[case[0] for case in modes()])
def test_every_mode_becomes_rgb_or_rgba(data: bytes, expected: list[tuple[int, ...]]) -> None:
    """16 bits are scaled and not clipped; transparency of any kind becomes alpha; what cannot have any stays RGB."""
    assert pixels_of(decode(data, LIMITS)) == expected


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(file_format: str, orientation: int) -> None:
    """However the camera was held, the picture stands upright: its red corner top left, its blue one top right."""
    upright = Image.new("RGB", (32, 16), WHITE)
    upright.paste(RED, (0, 0, 8, 8))
    upright.paste(BLUE, (24, 0, 32, 8))
    undo = [
        None,
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    ][orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if undo is None else upright.transpose(undo)
    decoded = decode(saved(stored, file_format, exif=exif), LIMITS)
    assert decoded.size == (32, 16)
    assert np.abs(np.asarray(decoded).astype(int) - np.asarray(upright)).mean() < 10


def test_broken_metadata_is_no_reason_to_refuse() -> None:
    """A good photo with EXIF and a colour profile that make no sense is a good photo."""
    broken = saved(gradient(), exif=b"Exif\0\0no orientation", icc_profile=b"no profile" * 30)
    assert pixels_of(decode(broken, LIMITS)) == pixels_of(gradient())
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[18] ^= 0x80  # in the name of its colour space
    assert pixels_of(decode(saved(gradient(), icc_profile=bytes(profile)), LIMITS)) == pixels_of(gradient())


def test_colours_are_brought_to_srgb() -> None:
    """A profile whose red is sRGB's blue turns red pixels blue, though its name is sRGB; sRGB's own changes nothing."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    red = Image.new("RGBA", (1, 1), (*RED, 7))
    assert pixels_of(decode(saved(red, icc_profile=srgb), LIMITS)) == [(*RED, 7)]
    assert pixels_of(decode(saved(red, icc_profile=swapped), LIMITS)) == [(*BLUE, 7)]


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_greys_are_brought_to_srgb(file_format: str) -> None:
    """Where the picture is grey: a profile of greys says nothing of colours. The value is Chromium's."""
    grey = saved(Image.new("L", (8, 8), 100), file_format, icc_profile=grey_profile(1.75), quality=100)
    assert set(pixels_of(decode(grey, LIMITS))) == {(122, 122, 122)}
    colours = saved(Image.new("RGB", (8, 8), (100, 100, 0)), "PNG", icc_profile=grey_profile(1.75))
    assert set(pixels_of(decode(colours, LIMITS))) == {(100, 100, 0)}


def test_greys_keep_their_transparency() -> None:
    grey = saved(Image.new("LA", (8, 8), (100, 7)), "PNG", icc_profile=grey_profile(1.0))
    assert set(pixels_of(decode(grey, LIMITS))) == {(168, 168, 168, 7)}


def grey_profile(gamma: float) -> bytes:
    """An ICC profile, version 2.4, of greys with this gamma."""
    white = b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in (0.9642, 1, 0.8249))
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey".ljust(5 + 78, b"\0"),
        b"wtpt": white,
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0),
    }
    table, content = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(content), len(tag))
        content += tag.ljust(-(-len(tag) // 4) * 4, b"\0")
    header = bytes(8) + b"\x02\x40\0\0mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28) + white[8:] + bytes(48)
    return struct.pack(">I", 128 + len(table) + len(content)) + header[4:] + table + content
