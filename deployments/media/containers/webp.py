"""WebP: the first frame, its transparency, orientation and colour profile; after the WebP container specification.

Chunks have no checksums: where a length leads to no chunk, the next one that is needed is looked for.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from deployments.media.containers.container import Claim, Container, NoPixels
from deployments.media.containers.exif import UPRIGHT, orientation_in
from deployments.media.sizes import Size

_FIRST = 12  # where the first chunk stands
_NEEDED = re.compile(rb"VP8[ LX]|ALPH|ANMF|EXIF|ICCP")
_NAME = re.compile(rb"[ -~]{4}")
_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_MOST_CHUNKS, _MOST_REPAIRS, _MOST_PLACES = 100_000, 100, 1_000  # what a hostile file may cost: seconds at most
_EXTENDED_BYTES, _LOSSY_BYTES, _LOSSLESS_BYTES = 10, 10, 5

_HAS_PROFILE, _HAS_ALPHA, _IS_ANIMATED = 0x20, 0x10, 0x02  # flags of VP8X
_ANIMATION = bytes(6)  # on a transparent ground, for ever


def claim(data: bytes) -> Claim | None:
    """What the first chunk says; None where that is no size."""
    size = _size(data[_FIRST : _FIRST + 4], data[_FIRST + 8 : _FIRST + 18])
    return Claim(size) if size else None


def read(data: bytes) -> Container:
    """The first picture in `data`.

    Raises:
        NoPixels: it has none, or none that says its size.
    """
    chunks: dict[bytes, bytes] = {}
    for name, content in _chunks(data):
        chunks.setdefault(name, content)
    if len(chunks.get(b"VP8X", b"")) != _EXTENDED_BYTES:
        chunks.pop(b"VP8X", None)
    flags = chunks[b"VP8X"][0] if b"VP8X" in chunks else 0
    needed = _needed(chunks, flags)
    size = _size(*needed[0])
    if size is None:
        raise NoPixels("no size")
    return Container(
        file=_riff(needed),
        claim=Claim(size),
        orientation=orientation_in(chunks[b"EXIF"].removeprefix(b"Exif\0\0")) if b"EXIF" in chunks else UPRIGHT,
        profile=chunks.get(b"ICCP") if flags & _HAS_PROFILE else None,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of what is needed; the content of the last one may be cut off."""
    at, repairs = _FIRST, 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data) or repairs > _MOST_REPAIRS:
            return
        name, end = data[at : at + 4], _end(data, at)
        if _NEEDED.fullmatch(name):
            yield name, data[at + 8 : at + 8 + _length(data, at)]
        if _stands_at(data, end):
            at = end
        else:
            at, repairs = _next(data, at + 1), repairs + 1


def _next(data: bytes, start: int) -> int:
    """Where, from `start` on, the next chunk stands that is needed; the end of the file if none does."""
    places = (found.start() for found in islice(_NEEDED.finditer(data, start), _MOST_PLACES))
    return next((place for place in places if _is_likely(data, place)), len(data))


def _stands_at(data: bytes, at: int) -> bool:
    """Whether a chunk stands at `at`, or the file ends there."""
    if _NAME.match(data, at) is None:
        return _is_end(data, at)
    return _end(data, at) <= len(data) + 1 or data[at : at + 4] in _PIXELS  # pixels may be cut off


def _is_likely(data: bytes, at: int) -> bool:
    """Whether the chunk at `at` has a size in pixels, or leads to another chunk or to the file's end."""
    end = _end(data, at)
    whole = end <= len(data) + 1 and _size(data[at : at + 4], data[at + 8 : at + 18]) is not None
    return whole or _is_end(data, end) or _NAME.match(data, end) is not None


def _is_end(data: bytes, at: int) -> bool:
    """Whether the file ends at `at`, with or without padding."""
    return at - len(data) in {0, 1}


def _end(data: bytes, at: int) -> int:
    """Of the chunk at `at`, as its length says it; to an even number of bytes, each is padded."""
    size = _length(data, at)
    return at + 8 + size + size % 2


def _needed(chunks: Mapping[bytes, bytes], flags: int) -> list[tuple[bytes, bytes]]:
    """The chunks of a file with the first frame alone; the first of them says the size."""
    still = next((name for name in chunks if name in {b"VP8 ", b"VP8L"}), None)
    animated = bool(flags & _IS_ANIMATED) and b"ANMF" in chunks
    kept = flags & (_HAS_ALPHA | _IS_ANIMATED if animated else _HAS_ALPHA)
    extended = [(b"VP8X", bytes((kept,)) + chunks[b"VP8X"][1:])] if b"VP8X" in chunks else []
    if animated:
        return [*extended, (b"ANIM", _ANIMATION), (b"ANMF", chunks[b"ANMF"])]
    if still is None:
        raise NoPixels("no frame")
    alpha = [(b"ALPH", chunks[b"ALPH"])] if flags & _HAS_ALPHA and still == b"VP8 " and b"ALPH" in chunks else []
    return [*extended, *alpha, (still, chunks[still])]


def _size(name: bytes, content: bytes) -> Size | None:
    """The picture's, as the first chunk says it."""
    if name == b"VP8X" and len(content) == _EXTENDED_BYTES:
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    if name == b"VP8 " and content[3:6] == b"\x9d\x01\x2a" and len(content) >= _LOSSY_BYTES:
        return int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:10], "little") & 0x3FFF
    if name == b"VP8L" and content[:1] == b"\x2f" and len(content) >= _LOSSLESS_BYTES:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def _length(data: bytes, at: int) -> int:
    """Of the content of the chunk at `at`."""
    return int.from_bytes(data[at + 4 : at + 8], "little")


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    packed = b"".join(
        part
        for name, content in chunks
        for part in (name, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) % 2))
    )
    return b"".join((b"RIFF", (4 + len(packed)).to_bytes(4, "little"), b"WEBP", packed))
