"""Two files that show the same picture, and a profile that changes colours."""

import numpy as np

from deployments.media.images import PictureLimits, decode
from tests.media.photo_files import SRGB

LIMITS = PictureLimits()


def assert_same(file: bytes, good: bytes) -> None:
    """Both show the same picture, to the pixel."""
    one, other = decode(file, LIMITS), decode(good, LIMITS)
    assert (one.mode, one.size) == (other.mode, other.size)
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def swapped(length: int = 0) -> bytes:
    """A profile whose red is sRGB's blue, filled up to so many bytes."""
    profile = SRGB.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    profile = profile.replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be")).ljust(length, b"\0")
    return len(profile).to_bytes(4) + profile[4:]
