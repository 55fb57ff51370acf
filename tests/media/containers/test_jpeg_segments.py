"""The segments of a JPEG: those that carry pixels are found, whatever stands between them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from deployments.media.containers.jpeg_segments import DHT, header_of
from deployments.media.images import decode
from tests.media.containers.same import LIMITS, assert_same
from tests.media.photo_files import SRGB, exif, in_jpeg, photo, saved, segment

JPEG = saved(photo(), "JPEG", quality=90)
PREVIEW = saved(photo((32, 20)), "JPEG")
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


def test_no_more_tables_are_looked_at_than_a_frame_can_name() -> None:
    """A segment may hold thousands of empty ones, and is looked at again for each repair that is tried."""
    few, many = (segment(0xC4, bytes(17) * count) for count in (8, 3_000))
    kept = [len(found.content) for found in header_of(in_jpeg(JPEG, few + many)) if found.marker == DHT]
    assert 8 * 17 in kept
    assert 3_000 * 17 not in kept


def test_a_wrong_length_that_leads_behind_the_next_segment() -> None:
    """Metadata that lost as many bytes as the table behind it has: the table is found inside it."""
    without_jfif = JPEG[:2] + JPEG[20:]
    assert without_jfif[2:4] == b"\xff\xdb"
    table = 2 + int.from_bytes(without_jfif[4:6])
    sound = [segment(0xE1, bytes(9))] * 6
    assert_same(in_jpeg(without_jfif, *sound, segment(0xE1, bytes(20), length=22 + table)), without_jfif)


@pytest.mark.parametrize("transform", [None, 0, 1, 9])
def test_adobes_segment_says_how_colours_are_coded(transform: int | None) -> None:
    """A JPEG of RGB samples stays one: the segment is kept where it is whole."""
    plain = JPEG[:2] + JPEG[20:]  # without JFIF's, which says YCbCr
    file = plain if transform is None else in_jpeg(plain, segment(0xEE, b"Adobe" + bytes(6) + bytes([transform])))
    with Image.open(io.BytesIO(file)) as expected:
        np.testing.assert_array_equal(np.asarray(decode(file, LIMITS)), np.asarray(expected.convert("RGB")))
