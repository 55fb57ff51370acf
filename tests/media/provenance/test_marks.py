"""The places in a picture file where its origin is written."""

import io
import re
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deployments.errors import InvalidImage
from deployments.media.images import decode
from deployments.media.provenance.marks import may_hold_manifest, stamped, without_manifest
from deployments.media.provenance.sources import DigitalSource
from tests.media.provenance.files import LIMITS, foreign, picture, signed

XMP = re.compile(rb"<Iptc4xmpExt:DigitalSourceType>(.*)</Iptc4xmpExt:DigitalSourceType>")
CREATED = {"action": "c2pa.created", "digitalSourceType": DigitalSource.TRAINED.uri}


def same_pixels(one: bytes, other: bytes) -> bool:
    a, b = decode(one, LIMITS), decode(other, LIMITS)
    return (a.mode, a.size, a.tobytes()) == (b.mode, b.size, b.tobytes())


def with_metadata(**options: object) -> bytes:
    """A picture as image models' servers write it: with its prompt."""
    text = PngInfo()
    text.add_text("parameters", "the prompt")
    text.add_itxt("XML:com.adobe.xmp", "the prompt", zip=True)
    out = io.BytesIO()
    Image.open(io.BytesIO(picture())).save(out, "PNG", pnginfo=text, **options)
    return out.getvalue()


@pytest.mark.parametrize("source", DigitalSource)
def test_the_xmp_packet_names_the_source(source: DigitalSource) -> None:
    """Readers find it: Pillow, too."""
    data = stamped(picture(), source, LIMITS)
    found = XMP.search(data)
    assert found
    assert found[1].decode() == source.uri
    assert b"DigitalSourceType" in Image.open(io.BytesIO(data)).info["xmp"]


def test_the_pixels_stay_the_same_and_nothing_else_stays() -> None:
    """No prompt that an engine wrote into its file."""
    before = with_metadata()
    data = stamped(before, DigitalSource.TRAINED, LIMITS)
    assert same_pixels(data, before)
    assert b"tEXt" in before
    assert b"tEXt" not in data
    assert data.count(b"XML:com.adobe.xmp") == 1


def test_colours_stay_as_they_are() -> None:
    """A profile is a part of what is seen."""
    before = with_metadata(icc_profile=b"a profile")
    assert Image.open(io.BytesIO(stamped(before, DigitalSource.TRAINED, LIMITS))).info["icc_profile"] == b"a profile"


def test_a_file_that_is_turned_by_its_metadata_is_written_upright() -> None:
    """It looks the same without."""
    exif = Image.Exif()
    exif[0x0112] = 6
    before = with_metadata(exif=exif)
    data = stamped(before, DigitalSource.TRAINED, LIMITS)
    assert same_pixels(data, before)
    assert b"eXIf" not in data


def test_a_file_that_is_not_quite_sound_is_written_anew() -> None:
    """What AIGE can decode, others need not: a checksum is wrong, or something follows the end."""
    good = picture()
    for bad in (good + b"something", good.replace(b"IEND\xae", b"IEND\xaf"), signed()[:-4]):
        data = stamped(bad, DigitalSource.COMPOSITE, LIMITS)
        assert same_pixels(data, good)
        assert data.endswith(b"IEND\xaeB\x60\x82")


def test_what_is_no_picture_is_refused() -> None:
    """By the one error for it."""
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        stamped(b"\x89PNG\r\n\x1a\nnothing", DigitalSource.COMPOSITE, LIMITS)


def test_a_jpeg_becomes_a_png() -> None:
    """All results are PNG."""
    before = picture(form="JPEG")
    assert same_pixels(stamped(before, DigitalSource.COMPOSITE, LIMITS), before)


def test_two_signatures_of_one_picture_differ_in_the_manifest_alone() -> None:
    """So an upload whose answer was lost is known, though another attempt signed it."""
    one, other = signed(), signed()
    assert one != other
    assert without_manifest(one) == without_manifest(other) == stamped(picture(), DigitalSource.TRAINED, LIMITS)
    assert without_manifest(signed(data=picture(seed=1))) != without_manifest(one)


@pytest.mark.parametrize("data", [b"", b"no PNG", picture()[:-1], picture() + b"!", picture(form="JPEG")])
def test_what_is_no_sound_png_is_compared_as_it_is(data: bytes) -> None:
    """To the byte."""
    assert without_manifest(data) == data


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_manifest_is_noticed_in_each_format(form: str) -> None:
    """And where there is none, that is certain."""
    data = picture(form=form)
    assert not may_hold_manifest(data)
    assert may_hold_manifest(foreign(data, f"image/{form.lower()}", CREATED))


def test_what_is_no_picture_holds_none() -> None:
    """Whatever stands in it."""
    assert not may_hold_manifest(b"caBX jumb C2PA")


def test_the_packet_is_uncompressed_text_in_a_sound_chunk() -> None:
    """As XMP demands of PNG."""
    data = stamped(picture(), DigitalSource.COMPOSITE, LIMITS)
    at = data.index(b"iTXt")
    size = int.from_bytes(data[at - 4 : at])
    content = data[at + 4 : at + 4 + size]
    assert content.startswith(b"XML:com.adobe.xmp\0\0\0\0\0<?xpacket begin=")
    assert content.endswith(b'<?xpacket end="r"?>')
    assert data[at + 4 + size :][:4] == zlib.crc32(b"iTXt" + content).to_bytes(4)
