"""The one thing in EXIF that changes what is seen: which way up the picture is."""

from struct import error, unpack_from

UPRIGHT = 1
TURNED = frozenset({5, 6, 7, 8})
"""The orientations in which width and height change places."""

_ORIENTATION = 0x0112
_SHORT = 3
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation_in(tiff: bytes) -> int:
    """1 to 8, from an EXIF block that starts at its byte order; 1 where it says nothing that counts.

    As browsers do, this goes by the first directory, and by an entry of one SHORT only. It reads as far as the block
    is whole: maker notes are often broken.
    """
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = unpack_from(f"{order}I", tiff, 4)
        (entries,) = unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, values, value = unpack_from(f"{order}HHIH", tiff, at)
            if tag == _ORIENTATION:
                return int(value) if (kind, values) == (_SHORT, 1) and value in range(1, 9) else UPRIGHT
    except error:
        pass  # it breaks off
    return UPRIGHT
