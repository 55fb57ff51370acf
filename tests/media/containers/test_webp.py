"""A WebP whose pixels are whole is read, whatever else its file says."""

import struct

import pytest

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, check, decode
from tests.media.containers.same import assert_same, swapped
from tests.media.photo_files import XMP, extended_webp, photo, riff_chunk, saved

WEBP_CHUNKS = {
    "an odd chunk": riff_chunk(b"JUNK", b"odd"),
    "an odd chunk without padding": riff_chunk(b"JUNK", b"odd")[:-1],
    "EXIF of nonsense": riff_chunk(b"EXIF", b"\xff" * 99),
    "an empty EXIF": riff_chunk(b"EXIF", b""),
    "XMP": riff_chunk(b"XMP ", XMP),
    "a profile that is none": riff_chunk(b"ICCP", b"no profile"),
    "a size that is too large": riff_chunk(b"XMP ", XMP, size=999),
    "a size that is too small": riff_chunk(b"XMP ", XMP, size=5),
    "a size beyond the file": riff_chunk(b"XMP ", XMP, size=1 << 31),
    "a name that is none": riff_chunk(b"\0\1\2\3", b"hello"),
}


@pytest.mark.parametrize("lossless", [False, True], ids=["lossy", "lossless"])
@pytest.mark.parametrize("spoilt", WEBP_CHUNKS.values(), ids=WEBP_CHUNKS.keys())
def test_a_webp_may_say_anything_besides(spoilt: bytes, lossless: bool) -> None:
    """Before its pixels and behind them."""
    good = saved(photo(), "WEBP", lossless=lossless)
    assert_same(extended_webp(photo(), 0x2C, spoilt, b"", lossless=lossless), good)
    assert_same(extended_webp(photo(), 0x2C, b"", spoilt, lossless=lossless), good)


@pytest.mark.parametrize("name", [b"VP8 ", b"VP8L", b"VP8X"])
@pytest.mark.parametrize("start", [b"", b"\x2f", b"\0\0\0\x9d\x01\x2a"])
def test_a_webp_without_its_first_bytes_is_damaged(name: bytes, start: bytes) -> None:
    """Its header says no size: it is taken for a picture, and then not decoded."""
    file = b"RIFF\0\0\0\0WEBP" + riff_chunk(name, start)
    check(file, PictureLimits())
    with pytest.raises(InvalidImage):
        decode(file, PictureLimits())


@pytest.mark.parametrize("size", [0, 20, 1 << 31])
def test_a_webp_may_be_of_any_size(size: int) -> None:
    """Its own size, at the file's beginning, may be wrong, and anything may lie behind."""
    good = saved(photo(), "WEBP")
    assert_same(good[:4] + struct.pack("<I", size) + good[8:] + bytes(99), good)


def test_a_webps_profile_counts_where_its_header_says_so() -> None:
    """As in browsers."""
    file = extended_webp(photo(), 0, riff_chunk(b"ICCP", swapped()), b"", lossless=True)
    assert_same(file, saved(photo(), "WEBP", lossless=True))
