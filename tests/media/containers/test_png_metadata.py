"""A PNG whose pixels are whole is read, whatever else its file says."""

import struct
import zlib

import numpy as np
import pytest

from deployments.errors import InvalidImage
from deployments.media.images import decode
from tests.media.containers.same import LIMITS, assert_same, swapped
from tests.media.photo_files import SRGB
from tests.media.png_files import PALETTE, RGB, PngFile, chunk

PNG = PngFile(RGB, 8)
WORDS = b'{"class_type": "KSampler", "inputs": {"seed": 1}}' * 31_000
BOMB = zlib.compress(bytes(1 << 26))
PNG_CHUNKS = {
    "a long text": chunk(b"tEXt", b"workflow\0" + WORDS),
    "a long packed text": chunk(b"zTXt", b"workflow\0\0" + zlib.compress(WORDS)),
    "long packed XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(WORDS)),
    "much text": chunk(b"tEXt", b"workflow\0" + WORDS) * 5,
    "a text that unpacks to 64 MB": chunk(b"zTXt", b"a\0\0" + BOMB),
    "XMP that unpacks to 64 MB": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "a packed text that is not packed": chunk(b"zTXt", b"a\0\0as it is"),
    "a text without an end of its name": chunk(b"tEXt", b"as it is"),
    "a profile that unpacks to 64 MB": chunk(b"iCCP", b"a\0\0" + BOMB),
    "a profile that is none": chunk(b"iCCP", b"a\0\0" + zlib.compress(b"no profile")),
    "a profile with a wrong checksum": chunk(b"iCCP", b"a\0\0" + zlib.compress(SRGB), checksum=b"oops"),
    "a profile that breaks off": chunk(b"iCCP", b"a\0\0" + zlib.compress(SRGB)[:-9]),
    "a profile without a name's end": chunk(b"iCCP", b"profile"),
    "an empty profile": chunk(b"iCCP", b""),
    **{
        f"a wrong checksum of {name!r}": chunk(name, bytes(9), checksum=b"oops") for name in (b"tEXt", b"pHYs", b"gAMA")
    },
    **{
        f"an empty {name!r}": chunk(name, b"")
        for name in (b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"tIME", b"eXIf", b"acTL")
    },
    "pHYs of one byte": chunk(b"pHYs", b"\0"),
    "frames that are not there": chunk(b"acTL", struct.pack(">II", 1 << 31, 0)),
    "a frame outside of the picture": chunk(b"acTL", struct.pack(">II", 2, 0))
    + chunk(b"fcTL", struct.pack(">5I2H2B", 0, 99_999, 9, 7, 7, 1, 1, 0, 0)),
    "a length that is too large": chunk(b"tEXt", b"Comment\0hello", length=20),
    "a length that is too small": chunk(b"tEXt", b"Comment\0hello", length=5),
    "a length beyond the file": chunk(b"tEXt", b"Comment\0hello", length=1 << 31),
    "a chunk that breaks off": chunk(b"tEXt", b"Comment\0hello")[:-6],
    "a name that is none": chunk(b"t\0\1t", b"Comment\0hello"),
    "a name that nobody knows": chunk(b"ABCD", b"hello", checksum=b"oops"),
    "an end marker that is none": chunk(b"IEND", b"", checksum=b"oops"),
    "bytes between chunks": b"\r\n\r\n",
}


@pytest.mark.parametrize("spoilt", PNG_CHUNKS.values(), ids=PNG_CHUNKS.keys())
def test_a_png_may_say_anything_besides(spoilt: bytes) -> None:
    """Before its pixels and behind them: nothing is unpacked of texts, and what is wrong counts for nothing."""
    assert_same(PNG.encoded(spoilt), PNG.encoded())
    assert_same(PNG.encoded(behind=(spoilt,)), PNG.encoded())


def test_a_palette_survives_what_is_wrong_around_it() -> None:
    """The palette, its transparency and the pixels are found again behind each wrong length."""
    png = PngFile(PALETTE, 4, colours=9, transparency=b"\0\x80", pieces=3)
    wrong = chunk(b"tEXt", b"Comment\0hello", length=21)
    file = png.encoded()
    for name in (b"PLTE", b"tRNS", b"IDAT"):
        at = file.index(name) - 4
        file = file[:at] + wrong + file[at:]
    np.testing.assert_array_equal(np.asarray(decode(file, LIMITS)), png.pixels())


@pytest.mark.parametrize("behind", [b"", b"\0" * 4096, b"\x89PNG\r\n\x1a\n and more", chunk(b"IDAT", b"more")])
def test_a_png_needs_no_end(behind: bytes) -> None:
    """Its end marker may be missing; what comes behind it is nobody's business."""
    assert_same(PNG.encoded() + behind, PNG.encoded())
    assert_same(PNG.encoded()[:-12], PNG.encoded())
    assert_same(PNG.encoded()[:-16], PNG.encoded())  # nor is the checksum of its pixels there


def test_wrong_checksums_of_pixels() -> None:
    """The packed pixels have a checksum of their own, and that one is right."""
    file = PNG.encoded()
    end = file.index(b"IEND") - 8
    assert_same(file[:end] + b"oops" + file[end + 4 :], file)
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        decode(file[: end - 4] + b"oops" + file[end:], LIMITS)


def test_a_profile_behind_the_pixels_counts_for_nothing() -> None:
    """As in browsers."""
    assert_same(PNG.encoded(behind=(chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped())),)), PNG.encoded())
