"""A picture whose pixels are whole is read, whatever else its file says: the kinds of files that people really send."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, decode
from tests.media.photo_files import SRGB, XMP, exif, extended_webp, in_jpeg, photo, riff_chunk, saved, segment
from tests.media.png_files import PALETTE, RGB, PngFile, chunk

LIMITS = PictureLimits()
PNG = PngFile(RGB, 8)
JPEG = saved(photo(), "JPEG", quality=90)
PREVIEW = saved(photo((32, 20)), "JPEG")
WORDS = b'{"class_type": "KSampler", "inputs": {"seed": 1}}' * 31_000
BOMB = zlib.compress(bytes(1 << 26))


def assert_same(file: bytes, good: bytes) -> None:
    """Both show the same picture, to the pixel."""
    one, other = decode(file, LIMITS), decode(good, LIMITS)
    assert (one.mode, one.size) == (other.mode, other.size)
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


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
    with pytest.raises(InvalidImage):
        decode(file[: end - 4] + b"oops" + file[end:], LIMITS)


BAD_SEGMENTS = {
    "an empty Adobe segment": segment(0xEE, b""),
    "a short Adobe segment": segment(0xEE, b"Adobe"),
    "a short JFIF segment": segment(0xE0, b"JFIF\0\1"),
    "JFIF without an end": segment(0xE0, b"JFIF"),
    "a short MPF segment": segment(0xE2, b"MPF\0"),
    "an MPF segment of nonsense": segment(0xE2, b"MPF\0MM\0*" + b"\xff" * 40),
    "a short ICC segment": segment(0xE2, b"ICC_PROFILE\0"),
    "half of an ICC profile": segment(0xE2, b"ICC_PROFILE\0\1\2" + SRGB),
    "an ICC profile in no part": segment(0xE2, b"ICC_PROFILE\0\0\0" + SRGB),
    "a short Photoshop segment": segment(0xED, b"Photoshop 3.0\0"),
    "a Photoshop segment that breaks off": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\xff\xff"),
    "empty segments": b"".join(segment(marker, b"") for marker in (*range(0xE0, 0xF0), 0xFE)),
    "EXIF that breaks off": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 40) + b"\x01\x12"),
    "EXIF of nothing": segment(0xE1, b"Exif\0\0"),
    "EXIF of nonsense": segment(0xE1, b"Exif\0\0" + b"\xff" * 99),
    "60 kB of notes": segment(0xE1, b"Exif\0\0" + exif(preview=bytes(60_000))),
    "3 MB of XMP": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 65_000) * 46,
    "a preview": segment(0xE1, b"Exif\0\0" + exif(preview=PREVIEW)),
    "fill bytes": b"\xff" * 9,
    "a length that is too large": segment(0xE1, b"Exif\0\0" + exif(), length=999),
    "a length beyond the file": segment(0xE1, b"Exif\0\0" + exif(), length=65_535),
    "a length that is too small": segment(0xE1, b"Exif\0\0" + exif(), length=99),
    "a length that is none": segment(0xE1, b"Exif\0\0" + exif(), length=0),
    "a preview, and a length that is too large": segment(0xE1, b"Exif\0\0" + exif(preview=PREVIEW), length=9_999),
    "a preview that is cut off": segment(0xE1, b"Exif\0\0" + exif(preview=PREVIEW))[:-400],
    "bytes between segments": segment(0xE1, b"Exif\0\0" + exif()) + b"\r\n\r\n",
    "a frame that is none": segment(0xC0, b"JFIF\0\1\1"),
    "a table that is none": segment(0xDB, b"JFIF\0\1\1"),
    "a scan that is none": segment(0xDA, b"JFIF\0\1\1"),
    "an end that is none": b"\xff\xd9",
}


@pytest.mark.parametrize("spoilt", BAD_SEGMENTS.values(), ids=BAD_SEGMENTS.keys())
def test_a_jpeg_may_say_anything_besides(spoilt: bytes) -> None:
    """Segments that are too short, too long or of nonsense change nothing; nor does a preview show instead."""
    assert_same(in_jpeg(JPEG, spoilt), JPEG)


def test_a_wrong_length_that_leads_behind_the_next_segment() -> None:
    """Metadata that lost as many bytes as the table behind it has: the table is found inside it."""
    without_jfif = JPEG[:2] + JPEG[20:]
    assert without_jfif[2:4] == b"\xff\xdb"
    table = 2 + int.from_bytes(without_jfif[4:6])
    sound = [segment(0xE1, bytes(9))] * 6
    assert_same(in_jpeg(without_jfif, *sound, segment(0xE1, bytes(20), length=22 + table)), without_jfif)


BEHIND = {
    "zeros": bytes(4096),
    "fill bytes": b"\xff" * 4096,
    "another picture": PREVIEW,
    "a film": b"\0\0\0\x18ftypmp42" + bytes(50_000) + b"SEFT",
    "a page": b"<html>hello</html>",
}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND.keys())
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_jpeg_ends_where_its_pixels_do(behind: bytes, progressive: bool) -> None:
    """Gain maps, motion photos and padding lie behind the picture."""
    good = saved(photo(), "JPEG", progressive=progressive)
    assert_same(good + behind, good)


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("behind", [b"", bytes(100), b"\xff", b"\xff" * 50 + bytes(50)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0, "quality": 100}]
)
def test_a_jpeg_needs_no_end(cut: int, behind: bytes, options: dict[str, object]) -> None:
    """Cameras that lose power leave files without their end marker, padded or not: all pixels are there."""
    for mode in ("RGB", "L"):
        good = saved(photo(mode=mode), "JPEG", **options)
        assert_same(good[:-cut] + behind, good)


@pytest.mark.parametrize("behind", [b"", bytes(20_000), b"\xff" * 20_000])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_half_a_jpeg_is_refused(behind: bytes, options: dict[str, object]) -> None:
    """Downloads that broke off, also into a file that had its full length already."""
    good = saved(photo((640, 480)), "JPEG", **options)
    for part in (0.2, 0.5, 0.9, 0.99):
        with pytest.raises(InvalidImage):
            decode(good[: int(len(good) * part)] + behind, LIMITS)


def test_a_progressive_jpeg_needs_each_scan() -> None:
    """Where it ends between two scans, it is a picture already, but not the whole one."""
    good = saved(photo(), "JPEG", progressive=True)
    scans = [at for at in range(len(good)) if good[at : at + 2] == b"\xff\xda"]
    assert len(scans) == 10
    for scan in scans[1:]:
        with pytest.raises(InvalidImage):
            decode(good[:scan], LIMITS)


def test_scans_without_end_are_refused() -> None:
    """Each costs the time for the whole picture, and takes a few bytes."""
    good = saved(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last = good[good.rindex(b"\xff\xda") : -2]
    with pytest.raises(InvalidImage):
        decode(good[:-2] + last * 1000 + good[-2:], LIMITS)


def test_several_pictures_in_one_file() -> None:
    """Of an MPO, as phones write it, the first is the photo."""
    good = saved(photo(), "MPO", save_all=True, append_images=[photo((64, 64), seed=2)])
    assert_same(good, saved(photo(), "JPEG"))


@pytest.mark.parametrize("transform", [None, 0, 1, 9])
def test_adobes_segment_says_how_colours_are_coded(transform: int | None) -> None:
    """A JPEG of RGB samples stays one: the segment is kept where it is whole."""
    plain = JPEG[:2] + JPEG[20:]  # without JFIF's, which says YCbCr
    file = plain if transform is None else in_jpeg(plain, segment(0xEE, b"Adobe" + bytes(6) + bytes([transform])))
    with Image.open(io.BytesIO(file)) as expected:
        np.testing.assert_array_equal(np.asarray(decode(file, LIMITS)), np.asarray(expected.convert("RGB")))


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


@pytest.mark.parametrize("size", [0, 20, 1 << 31])
def test_a_webp_may_be_of_any_size(size: int) -> None:
    """Its own size, at the file's beginning, may be wrong, and anything may lie behind."""
    good = saved(photo(), "WEBP")
    assert_same(good[:4] + struct.pack("<I", size) + good[8:] + bytes(99), good)


def swapped(length: int = 0) -> bytes:
    """A profile whose red is sRGB's blue, filled up to so many bytes."""
    profile = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    profile = profile.replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be")).ljust(length, b"\0")
    return len(profile).to_bytes(4) + profile[4:]


@pytest.mark.parametrize("length", [0, 1_300_000, 5_000_000])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_profiles_of_any_length_count(file_format: str, length: int) -> None:
    """Scanners embed profiles of more than a megabyte; they change the colours as small ones do."""
    red = Image.new("RGB", (16, 16), (200, 0, 0))
    file = saved(red, file_format, icc_profile=swapped(length), quality=100, subsampling=0, lossless=True)
    shown = decode(file, LIMITS)
    assert np.abs(np.asarray(shown, int) - (0, 0, 200)).max() <= 2


def test_a_profile_behind_the_pixels_counts_for_nothing() -> None:
    """As in browsers."""
    assert_same(PNG.encoded(behind=(chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped())),)), PNG.encoded())


def test_a_webps_profile_counts_where_its_header_says_so() -> None:
    """As in browsers."""
    file = extended_webp(photo(), 0, riff_chunk(b"ICCP", swapped()), b"", lossless=True)
    assert_same(file, saved(photo(), "WEBP", lossless=True))
