"""Which way up a picture is: EXIF alone says so, in all three formats, and by the rules of browsers."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from deployments.media.containers.exif import orientation_in
from deployments.media.images import PictureLimits, decode, size_of
from tests.media.photo_files import XMP, exif, extended_webp, in_jpeg, photo, riff_chunk, saved, segment
from tests.media.png_files import RGB, PngFile, chunk

LIMITS = PictureLimits()
PHOTO = photo((48, 32))
JPEG = saved(PHOTO, "JPEG")
PNG = PngFile(RGB, 8, size=(48, 32))
UPRIGHT, TURNED = (48, 32), (32, 48)


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def with_xmp(file_format: str) -> bytes:
    """A picture whose XMP alone says that it has to be turned."""
    if file_format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return saved(PHOTO, "PNG", pnginfo=text)
    return saved(PHOTO, file_format, xmp=XMP)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_xmp_does_not_turn(file_format: str) -> None:
    """Lightroom and exports leave an orientation in XMP of pictures that stand upright; browsers go by EXIF alone."""
    shown = decode(with_xmp(file_format), LIMITS)
    assert shown.size == UPRIGHT
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(decode(saved(PHOTO, file_format), LIMITS)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_in_either_byte_order(orientation: int, order: str) -> None:
    """1 to 8 are what EXIF knows."""
    assert orientation_in(exif(orientation, order)) == orientation


NO_ORIENTATION = {
    "nothing": b"",
    "another number": exif(9),
    "zero": exif(0),
    "a long one": exif(6, kind=4),
    "two of them": exif(6, values=2),
    "no byte order": b"XX" + exif(6)[2:],
    "cut off before it": exif(6)[:22],
    "no directory": b"MM\0*\0\0\0\x08",
    "a directory far away": b"MM\0*\xff\xff\xff\xff",
}


@pytest.mark.parametrize("block", NO_ORIENTATION.values(), ids=NO_ORIENTATION.keys())
def test_what_says_nothing_turns_nothing(block: bytes) -> None:
    """Nor does it stop the picture from being read."""
    assert orientation_in(block) == 1
    assert decode(in_jpeg(JPEG, exif_segment(block)), LIMITS).size == UPRIGHT


def test_what_breaks_off_behind_it_turns() -> None:
    """The orientation is read as far as the block is whole."""
    assert orientation_in(exif(6)[:34]) == 6


TURNS = {
    "JPEG": in_jpeg(JPEG, exif_segment(exif(6))),
    "JPEG, XMP first": in_jpeg(JPEG, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP), exif_segment(exif(6))),
    "JPEG, the first of two": in_jpeg(JPEG, exif_segment(exif(6)), exif_segment(exif(1))),
    "PNG": PNG.encoded(chunk(b"eXIf", exif(6))),
    "WebP": extended_webp(PHOTO, 8, b"", riff_chunk(b"EXIF", exif(6))),
    "WebP without its flag": extended_webp(PHOTO, 0, b"", riff_chunk(b"EXIF", exif(6))),
    "WebP with a JPEG's name for it": extended_webp(PHOTO, 8, b"", riff_chunk(b"EXIF", b"Exif\0\0" + exif(6))),
}
STAYS = {
    "JPEG, the first of two": in_jpeg(JPEG, exif_segment(exif(1)), exif_segment(exif(6))),
    "JPEG, the first of two, broken": in_jpeg(JPEG, exif_segment(b"broken"), exif_segment(exif(6))),
    "JPEG, in a preview": in_jpeg(JPEG, exif_segment(exif(1, preview=in_jpeg(JPEG, exif_segment(exif(6)))))),
    "JPEG, in a picture behind": JPEG + in_jpeg(JPEG, exif_segment(exif(6))),
    "PNG, a wrong checksum": PNG.encoded(chunk(b"eXIf", exif(6), checksum=b"oops")),
    "PNG, behind the pixels": PNG.encoded(behind=(chunk(b"eXIf", exif(6)),)),
    "PNG, in a text": PNG.encoded(chunk(b"tEXt", b"Raw profile type exif\0" + exif(6).hex().encode())),
}


@pytest.mark.parametrize("file", TURNS.values(), ids=TURNS.keys())
def test_exif_turns(file: bytes) -> None:
    """The size that it is seen in is told without decoding, too."""
    assert decode(file, LIMITS).size == TURNED
    assert size_of(file, LIMITS) == TURNED


@pytest.mark.parametrize("file", STAYS.values(), ids=STAYS.keys())
def test_other_exif_does_not_turn(file: bytes) -> None:
    """As in browsers, the first block before the pixels counts, and no other."""
    assert decode(file, LIMITS).size == UPRIGHT


def test_transparency_is_turned_too() -> None:
    """A key colour is transparent where it is seen."""
    png = PngFile(RGB, 16, size=(48, 32)).with_key()
    turned = Image.fromarray(png.pixels()).transpose(Image.Transpose.ROTATE_270)
    assert decode(png.encoded(chunk(b"eXIf", exif(6))), LIMITS).tobytes() == turned.tobytes()
