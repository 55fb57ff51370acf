"""The places in a picture file where its origin is written: C2PA's manifest, and an XMP packet."""

import zlib
from collections.abc import Iterator

from deployments.errors import InvalidImage
from deployments.media.containers.exif import UPRIGHT, orientation_in
from deployments.media.containers.png import SIGNATURE
from deployments.media.images import PictureLimits, decode, encode, sniff
from deployments.media.provenance.sources import DigitalSource

_TELLTALES = {"image/png": b"caBX", "image/jpeg": b"jumb", "image/webp": b"C2PA"}
"""What stands in a file of each format that holds a manifest: a chunk's name, or that of C2PA's boxes."""

_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_COLOURS = frozenset({b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT"})
_MANIFEST = b"caBX"

_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><Iptc4xmpExt:DigitalSourceType>{}'
    '</Iptc4xmpExt:DigitalSourceType></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def may_hold_manifest(data: bytes) -> bool:
    """Whether a manifest may be in the file. False is certain, and costs one look through it."""
    telltale = _TELLTALES.get(sniff(data) or "")
    return telltale is not None and telltale in data


def stamped(data: bytes, source: DigitalSource, limits: PictureLimits) -> bytes:
    """The PNG with nothing in it but its pixels, their colours, and an XMP packet that names `source`.

    What an engine made may tell more in its metadata: its prompt, say. A file that is not put together as PNG
    demands is written anew, with the same pixels.

    Raises:
        InvalidImage: it is no picture.
    """
    chunks = _chunks_to_keep(data)
    if chunks is None:
        chunks = _chunks_to_keep(encode(decode(data, limits)))
    if chunks is None:
        raise InvalidImage("The picture is damaged and cannot be read: send it again, or send another one.")
    header, *others = chunks
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + _PACKET.format(source.uri).encode()
    return b"".join((SIGNATURE, header, _chunk(b"iTXt", text), *others))


def without_manifest(data: bytes) -> bytes:
    """The PNG without its C2PA manifest: two signatures of one picture differ in nothing else.

    What is no sound PNG is returned as it is.
    """
    try:
        chunks = [chunk for name, chunk in _chunks(data) if name != _MANIFEST]
    except ValueError:
        return data
    return b"".join((SIGNATURE, *chunks))


def _chunks_to_keep(data: bytes) -> list[bytes] | None:
    """The chunks that make the pixels and their colours; None where those alone would not show the same."""
    kept = []
    try:
        for name, chunk in _chunks(data):
            if name in _PIXELS or name in _COLOURS:
                kept.append(chunk)
            elif name[:1].isupper() or (name == b"eXIf" and orientation_in(chunk[8:-4]) != UPRIGHT):
                return None
    except ValueError:
        return None
    return kept


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk, whole.

    Raises:
        ValueError: this is no PNG, or not a sound one.
    """
    if not data.startswith(SIGNATURE + b"\0\0\0\x0dIHDR"):
        raise ValueError("no PNG")
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        end = at + 12 + int.from_bytes(data[at : at + 4])
        name = data[at + 4 : at + 8]
        if end > len(data) or zlib.crc32(memoryview(data)[at + 4 : end - 4]).to_bytes(4) != data[end - 4 : end]:
            raise ValueError("a chunk is not sound")
        yield name, data[at:end]
        at = end
    if at != len(data):
        raise ValueError("something follows its end")


def _chunk(name: bytes, content: bytes) -> bytes:
    return b"".join((len(content).to_bytes(4), name, content, zlib.crc32(name + content).to_bytes(4)))
