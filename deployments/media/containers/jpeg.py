"""JPEG: keeps the frame, tables and scans, and the few application segments that decide how they look.

Decoders read from JFIF's and Adobe's segments how colours are coded, so these are kept if they are complete. Data after
the picture (a second picture, a film, padding) is cut off. A missing end marker is added.
"""

from collections.abc import Sequence

from deployments.media.containers.container import Claim, Container, NoPixels
from deployments.media.containers.exif import UPRIGHT, orientation_in
from deployments.media.containers.jpeg_segments import (
    METADATA,
    SOS,
    Frame,
    Segment,
    coded,
    frame_in,
    header_of,
    plain_header_of,
)

_START, _END = b"\xff\xd8", b"\xff\xd9"
_JFIF, _EXIF, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
_ICC_NAME = b"ICC_PROFILE\0"
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_COEFFICIENTS = 64
_MORE = (b"\xaa" * 4096, b"\x55" * 4096)  # any code but zeros, which decoders read where nothing more comes

_STREAMED = 6.0
"""The leeway of a picture that is decoded row by row, at half or a quarter of its sides. Phones' 200 megapixels fit."""

_BUFFERED = 1.4
"""The leeway of a picture in several scans. The decoder keeps all coefficients, 6 bytes per pixel. With a quarter of
the pixels, they take no more memory than a picture at the limit.
"""

_MOST_SEGMENTS_BEFORE_FRAME = 500


def claim(data: bytes) -> Claim | None:
    """The size that the frame states, and its leeway; None if the frame cannot be found without repairs."""
    header = plain_header_of(data, _MOST_SEGMENTS_BEFORE_FRAME)
    frame = frame_in(header)
    return _claim(frame, header[-1]) if frame is not None and header[-1].marker == SOS else None


def read(data: bytes) -> Container:
    """The first picture in `data`.

    Raises:
        NoPixels: it has no valid frame and scan, or it ends before all coefficients are complete.
    """
    header = header_of(data)
    frame = frame_in(header)
    if frame is None or header[-1].marker != SOS:
        raise NoPixels("no frame and scan")
    scans, pixels, ended = coded(data, header[-1])
    if not (ended or _all_sent(frame, scans)):
        raise NoPixels("scans are missing")
    kept = (data[segment.start : segment.end] for segment in header if _decides_pixels(segment))
    parts = (_START, *kept, *pixels)
    return Container(
        file=b"".join((*parts, _END)),
        claim=_claim(frame, header[-1]),
        orientation=_orientation(header),
        profile=_profile(header),
        probes=() if ended else tuple(b"".join((*parts, more, _END)) for more in _MORE),
    )


def _claim(frame: Frame, scan: Segment) -> Claim:
    several_scans = frame.marker in _PROGRESSIVE or scan.content[0] < len(frame.tables)
    return Claim((frame.width, frame.height), _BUFFERED if several_scans else _STREAMED)


def _decides_pixels(segment: Segment) -> bool:
    """Whether a decoder needs the segment. One that is too short for its kind is dropped: some decoders reject it."""
    name, length = bytes(segment.content[:5]), len(segment.content)
    if segment.marker == _JFIF:
        return name == b"JFIF\0" and length >= _JFIF_BYTES
    if segment.marker == _ADOBE:
        return name == b"Adobe" and length >= _ADOBE_BYTES
    return segment.marker not in METADATA


def _all_sent(frame: Frame, scans: Sequence[Segment]) -> bool:
    """Whether the scans that were begun hold the last bit of every coefficient of every component."""
    sent = {(component, place) for scan in scans for component, place in _sends(frame, bytes(scan.content))}
    return len(sent) == _COEFFICIENTS * len(frame.tables)


def _sends(frame: Frame, scan: bytes) -> set[tuple[int, int]]:
    """The component, and the place in its block, of each coefficient whose last bit is in `scan`."""
    components, (first, last, bits) = scan[1:-3:2], scan[-3:]
    if frame.marker not in _PROGRESSIVE:
        first, last, bits = 0, _COEFFICIENTS - 1, 0
    places = range(first, min(last, _COEFFICIENTS - 1) + 1) if bits & 0xF == 0 else range(0)
    return {(component, place) for component in components if component in frame.tables for place in places}


def _orientation(header: Sequence[Segment]) -> int:
    """The orientation in the first EXIF segment; upright if there is none."""
    blocks = (bytes(segment.content) for segment in header if segment.marker == _EXIF)
    block = next((block for block in blocks if block.startswith(b"Exif\0")), None)
    return UPRIGHT if block is None else orientation_in(block[6:])


def _profile(header: Sequence[Segment]) -> bytes | None:
    """The ICC profile, joined from its numbered parts; None unless each part is there exactly once."""
    contents = (bytes(segment.content) for segment in header if segment.marker == _ICC)
    parts = sorted(content[len(_ICC_NAME) :] for content in contents if content.startswith(_ICC_NAME))
    whole = [tuple(part[:2]) for part in parts] == [(number, len(parts)) for number in range(1, len(parts) + 1)]
    return b"".join(part[2:] for part in parts) if parts and whole else None
