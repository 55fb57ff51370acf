"""A JPEG begins and ends where its pixels do, and one that lacks some is refused."""

import pytest
from PIL import Image

from deployments.errors import InvalidImage
from deployments.media.images import decode
from tests.media.containers.same import LIMITS, assert_same
from tests.media.photo_files import photo, saved

PREVIEW = saved(photo((32, 20)), "JPEG")
BEHIND = {
    "zeros": bytes(4096),
    "fill bytes": b"\xff" * 4096,
    "another picture": PREVIEW,
    "a film": b"\0\0\0\x18ftypmp42" + bytes(50_000) + b"SEFT",
    "a page": b"<html>hello</html>",
}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND.keys())
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_jpeg_ends_where_its_pixels_do(behind: bytes, progressive: bool) -> None:
    """Gain maps, motion photos and padding lie behind the picture."""
    good = saved(photo(), "JPEG", progressive=progressive)
    assert_same(good + behind, good)


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("behind", [b"", bytes(100), b"\xff", b"\xff" * 50 + bytes(50)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}, {"subsampling": 0, "quality": 100}]
)
def test_a_jpeg_needs_no_end(cut: int, behind: bytes, options: dict[str, object]) -> None:
    """Cameras that lose power leave files without their end marker, padded or not: all pixels are there."""
    for mode in ("RGB", "L"):
        good = saved(photo(mode=mode), "JPEG", **options)
        assert_same(good[:-cut] + behind, good)


@pytest.mark.parametrize("behind", [b"", bytes(20_000), b"\xff" * 20_000])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_half_a_jpeg_is_refused(behind: bytes, options: dict[str, object]) -> None:
    """Downloads that broke off, also into a file that had its full length already."""
    good = saved(photo((640, 480)), "JPEG", **options)
    for part in (0.2, 0.5, 0.9, 0.99):
        with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
            decode(good[: int(len(good) * part)] + behind, LIMITS)


def test_a_progressive_jpeg_needs_each_scan() -> None:
    """Where it ends between two scans, it is a picture already, but not the whole one."""
    good = saved(photo(), "JPEG", progressive=True)
    scans = [at for at in range(len(good)) if good[at : at + 2] == b"\xff\xda"]
    assert len(scans) == 10
    for scan in scans[1:]:
        with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
            decode(good[:scan], LIMITS)


def test_scans_without_end_are_refused() -> None:
    """Each costs the time for the whole picture, and takes a few bytes."""
    good = saved(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last = good[good.rindex(b"\xff\xda") : -2]
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        decode(good[:-2] + last * 1000 + good[-2:], LIMITS)


def test_several_pictures_in_one_file() -> None:
    """Of an MPO, as phones write it, the first is the photo."""
    good = saved(photo(), "MPO", save_all=True, append_images=[photo((64, 64), seed=2)])
    assert_same(good, saved(photo(), "JPEG"))
