"""PNG: its header, palette, transparency, orientation, colour profile and pixels; after the PNG specification.

A chunk without pixels whose checksum is wrong counts for nothing, as in browsers. Where its length is wrong, too,
browsers give up; here the next chunk that is needed is looked for.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from struct import unpack_from

from deployments.media.containers.container import Claim, Container, NoPixels
from deployments.media.containers.exif import UPRIGHT, orientation_in

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MOST_PROFILE_BYTES = 16 * 1024 * 1024
"""What a profile may unpack to: as much as a JPEG can hold of one. A larger one is ignored."""

_HEADER = slice(8, 33)
_FRAMING = 12  # bytes of a chunk besides its content: length, name, checksum
_NAME = re.compile(rb"(?!IHDR)[A-Za-z]{2}[A-Z][A-Za-z]")
_NEEDED = re.compile(rb"PLTE|tRNS|IDAT|IEND|iCCP|eXIf")
_MOST_CHUNKS, _MOST_REPAIRS, _MOST_PLACES = 100_000, 100, 1_000  # what a hostile file may cost: seconds at most
_PALETTE = 3
_SAMPLES = {0: 1, 2: 3}  # of a pixel, by colour type: grey, RGB
_COLOURS, _DEEP = 256, 16


def claim(data: bytes) -> Claim | None:
    """What the header says; None where there is no sound one."""
    header = data[_HEADER]
    if header[:8] != b"\0\0\0\x0dIHDR" or header[-4:] != _checksum(b"IHDR", header[8:-4]):
        return None
    width, height = unpack_from(">II", header, 8)
    return Claim((width, height)) if width and height else None


def read(data: bytes) -> Container:
    """The first picture in `data`.

    Raises:
        NoPixels: it has no sound header, or no palette where it needs one.
    """
    claimed = claim(data)
    if claimed is None:
        raise NoPixels("no sound IHDR")
    header = data[_HEADER]
    depth, colour = header[16], header[17]
    before, pixels = _sorted_out(data)
    transparency = before.get(b"tRNS", b"")
    palette = _palette(before.get(b"PLTE", b""), transparency) if colour == _PALETTE else b""
    return Container(
        file=b"".join((SIGNATURE, header, palette, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))),
        claim=claimed,
        orientation=orientation_in(before[b"eXIf"]) if b"eXIf" in before else UPRIGHT,
        profile=_profile(before[b"iCCP"]) if b"iCCP" in before else None,
        key=_key(depth, _SAMPLES[colour], transparency) if colour in _SAMPLES else None,
        deep=depth == _DEEP,
    )


def _sorted_out(data: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The first chunk of each kind that is needed and stands before the pixels, and the packed pixels."""
    before: dict[bytes, bytes] = {}
    pixels = []
    for name, content in _chunks(data):
        if name == b"IDAT":
            pixels.append(content)
        elif not pixels:
            before.setdefault(name, content)
            if name == b"PLTE":
                before.pop(b"tRNS", None)  # it counts after the palette only
    return before, b"".join(pixels)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of what is needed, up to the end: pixels as they are, of the rest what is sound."""
    at, repairs = _HEADER.stop, 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data) or repairs > _MOST_REPAIRS:
            return
        name, end = data[at + 4 : at + 8], _end(data, at)
        sound = name != b"IDAT" and end <= len(data) and _is_sound(data, at, end)
        if sound and name == b"IEND":
            return
        if name == b"IDAT" or (sound and _NEEDED.fullmatch(name)):
            yield name, data[at + 8 : end - 4]
        if sound or _stands_at(data, end):
            at = end
        else:
            at, repairs = _next(data, at + 1), repairs + 1


def _is_sound(data: bytes, at: int, end: int) -> bool:
    return data[end - 4 : end] == _checksum(data[at + 4 : at + 8], memoryview(data)[at + 8 : end - 4])


def _next(data: bytes, start: int) -> int:
    """Where, from `start` on, the next chunk stands that is needed and leads to another; else the file's end."""
    places = (found.start() - 4 for found in islice(_NEEDED.finditer(data, start + 4), _MOST_PLACES))
    leading = (place for place in places if (end := _end(data, place)) == len(data) or _is_named(data, end))
    return next(leading, len(data))


def _stands_at(data: bytes, at: int) -> bool:
    """Whether a chunk stands at `at`, or the file ends there."""
    if not _is_named(data, at):
        return at == len(data)
    cut_off = data[at + 4 : at + 8] == b"IDAT" and _next(data, at + 1) == len(data)
    return _end(data, at) <= len(data) or cut_off


def _is_named(data: bytes, at: int) -> bool:
    return _NAME.match(data, at + 4) is not None


def _end(data: bytes, at: int) -> int:
    """Of the chunk at `at`, as its length says it."""
    return at + _FRAMING + int.from_bytes(data[at : at + 4])


def _palette(colours: bytes, alphas: bytes) -> bytes:
    """The chunks of a palette of 256 colours. What is not in the file's shows its last colour, as in browsers."""
    size = min(_COLOURS, len(colours) // 3)
    if size == 0:
        raise NoPixels("no palette")
    colours = colours[: 3 * size] + colours[3 * size - 3 : 3 * size] * (_COLOURS - size)
    alphas = alphas[:size].ljust(size, b"\xff")
    alphas += alphas[-1:] * (_COLOURS - size)
    opaque = not alphas.strip(b"\xff")
    return _chunk(b"PLTE", colours) + (b"" if opaque else _chunk(b"tRNS", alphas))


def _key(depth: int, samples: int, content: bytes) -> tuple[int, ...] | None:
    """The colour that is transparent. Of each 16-bit value, only as many bits count as a sample has."""
    if len(content) < 2 * samples:
        return None
    largest = (1 << depth) - 1
    values = (value & largest for value in unpack_from(f">{samples}H", content))
    return tuple(value * 255 // largest if depth < 8 else value for value in values)  # noqa: PLR2004 - bits of a byte


def _profile(content: bytes) -> bytes | None:
    """The unpacked profile: behind its name, a zero, and the way it was packed, of which there is one."""
    _, _, packed = content.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], MOST_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if unpacking.eof else None


def _chunk(name: bytes, content: bytes) -> bytes:
    return b"".join((len(content).to_bytes(4), name, content, _checksum(name, content)))


def _checksum(name: bytes, content: bytes | memoryview) -> bytes:
    return zlib.crc32(content, zlib.crc32(name)).to_bytes(4)
