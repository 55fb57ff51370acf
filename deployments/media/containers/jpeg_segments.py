"""The segments of a JPEG file: marker, length and content, and behind a scan's the coded pixels. After ITU-T T.81.

Where the length of metadata leads to no segment, the largest picture whose segments follow is gone on with: a preview
that lies in the metadata is smaller.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from deployments.media.containers.container import NoPixels

DHT, DAC, SOS, DQT, DNL, DRI, COM = 0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
METADATA = frozenset({*range(0xE0, 0xF0), COM})
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
_HUFFMAN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})

_MARKER = re.compile(rb"\xff[\xc0-\xc7\xc9-\xcf\xda-\xdd\xe0-\xef\xfe]")
_FILLED_MARKER = re.compile(rb"\xff{0,4096}" + _MARKER.pattern)
_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_LONGEST = 2 + 0xFFFF

# What a hostile file may cost: a few seconds at most.
_MOST_SEGMENTS, _MOST_SCANS = 10_000, 50
_MOST_REPAIRS, _MOST_PLACES, _MOST_LINKS = 8, 500, 100
_MOST_DOUBTS, _REPAIRS_IN_DOUBT = 4, 2
_HOPELESS = 99

_MOST_TABLES = 8  # two classes of four: T.81, B.2.4.2


class Segment(NamedTuple):
    """`content` comes behind the length; `start` and `end` are places in the file."""

    marker: int
    content: memoryview
    start: int
    end: int


class Frame(NamedTuple):
    """The picture's size in pixels, and which quantisation table each of its components uses."""

    marker: int
    width: int
    height: int
    tables: dict[int, int]


def header_of(data: bytes) -> list[Segment]:
    """The segments up to the first scan's, without those that make no sense; metadata may be anything.

    A wrong length may lead exactly behind the segment that follows. So where a table is missing, the metadata is looked
    into.
    """
    found = plain_header_of(data, _MOST_SEGMENTS, _MOST_REPAIRS)
    if not _missing(found):
        return found
    doubts = [place for place, segment in enumerate(found) if segment.marker in METADATA][-_MOST_DOUBTS:]
    return min([found, *(_doubting(data, found, place) for place in doubts)], key=_missing)


def plain_header_of(data: bytes, most: int, repairs: int = 0) -> list[Segment]:
    """The same, at most so many segments, without looking into any that leads to another one."""
    return list(islice(_segments(data, 2, repairs), most))


def frame_in(segments: Sequence[Segment]) -> Frame | None:
    """The first frame, which says what the picture is."""
    frame = next((segment for segment in segments if segment.marker in FRAMES), None)
    if frame is None:
        return None
    components = bytes(frame.content[6:])
    height, width = int.from_bytes(frame.content[1:3]), int.from_bytes(frame.content[3:5])
    return Frame(frame.marker, width, height, dict(zip(components[::3], components[2::3], strict=True)))


def coded(data: bytes, first: Segment) -> tuple[list[Segment], list[bytes], bool]:
    """From the first scan on: all scans' segments, what a decoder needs behind the first, and whether it has an end.

    Raises:
        NoPixels: it has more scans than any picture needs: each costs a decoder the time for the whole picture.
    """
    scans, at = [first], first.end
    needed: list[bytes] = []
    while found := _BEHIND_SCAN.search(data, at):
        if len(scans) > _MOST_SCANS or len(needed) > _MOST_SEGMENTS:
            raise NoPixels("too many scans")
        needed.append(data[at : found.start()].rstrip(b"\xff"))
        segment = _segment_at(data, found.start())
        if segment is None or segment.marker in FRAMES:
            return scans, needed, _MARKER.match(data, found.start()) is None
        if segment.marker == SOS:
            scans.append(segment)
        if segment.marker not in METADATA:
            needed.append(data[segment.start : segment.end])
        at = segment.end
    needed.append(_unpadded(data[at:]))
    return scans, needed, False


def _unpadded(pixels: bytes) -> bytes:
    """Without the zeros and fill bytes behind them; a first zero behind 0xFF is part of them."""
    end = len(pixels.rstrip(b"\0\xff"))
    return pixels[: end + 2 * pixels.startswith(b"\xff\0", end)]


def _segments(data: bytes, at: int, repairs: int) -> Iterator[Segment]:
    """From `at` to the first scan's; a place that leads to no segment is repaired so many times."""
    framed = False
    while True:
        segment = _segment_at(data, at)
        sound = segment is not None and _is_sound(segment)
        if segment is not None and sound:
            yield segment
            if segment.marker == SOS:
                return
            framed = framed or segment.marker in FRAMES
        if segment is not None and _segment_at(data, segment.end):
            at = segment.end
        elif repairs:
            certain = segment is not None and sound and segment.marker not in METADATA
            at, repairs = _next(data, segment.end if segment and certain else at + 1, framed=framed), repairs - 1
        else:
            return


def _segment_at(data: bytes, at: int) -> Segment | None:
    """The segment at `at`, or behind fill bytes there; None where there is none that ends within the file."""
    found = _FILLED_MARKER.match(data, at)
    if found is None:
        return None
    content = found.end() + 2
    end = found.end() + int.from_bytes(data[found.end() : content])
    whole = content <= end <= len(data)
    return Segment(data[content - 3], memoryview(data)[content:end], content - 4, end) if whole else None


def _next(data: bytes, start: int, *, framed: bool) -> int:
    """Where, from `start` on, the segments of the largest picture begin; the end of the file if none do."""
    places = (found.start() for found in _MARKER.finditer(data, start, start + _LONGEST))
    ranked = [(_pixels_from(data, place, framed=framed), -place) for place in islice(places, _MOST_PLACES)]
    pixels, place = max(ranked, default=(0, 0))
    return -place if pixels else len(data)


def _pixels_from(data: bytes, at: int, *, framed: bool) -> int:
    """The pixels of the frame that the segments from `at` to a scan's hold; 0 where they lead to none."""
    pixels = int(framed)
    for _ in range(_MOST_LINKS):
        segment = _segment_at(data, at)
        if segment is None or not _is_sound(segment) or (pixels and segment.marker in FRAMES):
            return 0
        if segment.marker in FRAMES:
            pixels = int.from_bytes(segment.content[1:3]) * int.from_bytes(segment.content[3:5])
        if segment.marker == SOS:
            return pixels
        at = segment.end
    return 0


def _doubting(data: bytes, found: list[Segment], place: int) -> list[Segment]:
    """`found`, as it would be if the metadata at `place` were shorter than it says."""
    at = _next(data, found[place].start + 2, framed=False)
    return [*found[:place], *islice(_segments(data, at, _REPAIRS_IN_DOUBT), _MOST_SEGMENTS)]


def _missing(header: Sequence[Segment]) -> int:
    """How many tables the frame and the first scan name that no segment brings."""
    frame = frame_in(header)
    if frame is None or header[-1].marker != SOS:
        return _HOPELESS
    missing = set(frame.tables.values()) - {table & 0xF for table in _tables(header, DQT)}
    scan = header[-1].content
    direct = {chosen >> 4 for chosen in scan[2 : 1 + 2 * scan[0] : 2]}
    if frame.marker in _HUFFMAN_FRAMES:
        missing |= direct - set(_tables(header, DHT))
    return len(missing)


def _tables(header: Sequence[Segment], marker: int) -> list[int]:
    return [table for segment in header if segment.marker == marker for table in _tables_in(segment)]


def _tables_in(segment: Segment) -> list[int]:
    """Class and number of each quantisation or Huffman table; none where their lengths do not add up, or they are too
    many.
    """
    content, at = segment.content, 0
    tables: list[int] = []
    while at < len(content) and len(tables) < _MOST_TABLES:
        tables.append(content[at])
        kind, number = divmod(content[at], 16)
        if kind > 1 or number > 3:  # noqa: PLR2004 - T.81, tables B.4 and B.5
            return []
        at += 1 + (64 << kind) if segment.marker == DQT else 17 + sum(content[at + 1 : at + 17])
    return tables if at == len(content) else []


def _is_sound(segment: Segment) -> bool:
    """Whether the content is one that its marker may have."""
    marker, content = segment.marker, segment.content
    if marker in METADATA:
        return True
    if marker in {DQT, DHT}:
        return bool(_tables_in(segment))
    if marker == DAC:
        return all(kind < 32 for kind in content[::2])  # noqa: PLR2004 - T.81, table B.6
    if marker == SOS:
        return len(content) > 0 and content[0] in range(1, 5) and len(content) == 4 + 2 * content[0]
    if marker in FRAMES:
        components = len(content) // 3 - 2
        counted = components in range(1, 5) and (len(content), content[5]) == (6 + 3 * components, components)
        return counted and any(content[1:3]) and any(content[3:5])
    return len(content) == 2  # noqa: PLR2004 - DRI, DNL
