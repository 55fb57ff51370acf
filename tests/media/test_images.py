"""What comes out of `decode` is safe and plain, whatever goes in."""

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, crop_to_ratio, decode, encode, is_opaque, sniff
from tests.media.photo_files import gradient, pixels_of, saved
from tests.media.png_files import png

LIMITS = PictureLimits()
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
VALID = {
    "png": saved(gradient()),
    "png with alpha": saved(gradient().convert("RGBA")),
    "jpeg": saved(gradient(), "JPEG"),
    "progressive jpeg": saved(gradient(), "JPEG", progressive=True),
    "webp": saved(gradient(), "WEBP"),
    "lossless webp": saved(gradient().convert("RGBA"), "WEBP", lossless=True),
    "animated webp": saved(gradient(), "WEBP", save_all=True, append_images=[gradient().rotate(90)]),
    "animated png": saved(gradient(), "PNG", save_all=True, append_images=[gradient().rotate(90)]),
}
HOSTILE = {
    "nothing": b"",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "html": b"<!doctype html><img src=x onerror=alert(1)>",
    "gif": saved(gradient(), "GIF"),
    "bmp": saved(gradient(), "BMP"),
    "tiff": saved(gradient(), "TIFF"),
    "ico": saved(gradient(), "ICO"),
    "png signature alone": b"\x89PNG\r\n\x1a\n",
    "png without pixels": png((1, 1), 8, 2, b"")[:-12],
    "png that claims 10000x10000": png((10_000, 10_000), 8, 0, b""),
    "png of no width": png((0, 1), 8, 2, b"\0"),
    "webp canvas of 16000x16000": VALID["animated webp"][:24] + (15_999).to_bytes(3, "little") * 2 + b"ANIM",
    "gif that says png": b"\x89PNG\r\n\x1a\n" + saved(gradient(), "GIF"),
}


@pytest.mark.parametrize("data", VALID.values(), ids=VALID.keys())
def test_the_three_formats_decode(data: bytes) -> None:
    """PNG, JPEG and WebP decode to their pixels; of an animated picture, the first frame."""
    difference = np.asarray(decode(data, LIMITS).convert("RGB")).astype(int) - np.asarray(gradient())
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused(data: bytes) -> None:
    """Other formats, bombs and empty shells end as `invalid_image`, with one sentence that says what to do."""
    with pytest.raises(InvalidImage, match=r"^The picture .*: send .*\.$"):
        decode(data, LIMITS)


@given(st.binary(max_size=200), st.sampled_from(["", "png", "jpeg", "webp"]))
def test_noise_is_refused(noise: bytes, name: str) -> None:
    """Random bytes, also behind a real file's header, raise `InvalidImage` and nothing else."""
    with pytest.raises(InvalidImage):
        decode(VALID[name][:30] + noise if name else noise, LIMITS)


@given(st.sampled_from(sorted(VALID)), st.data())
def test_truncated_files_are_whole_or_refused(name: str, data: st.DataObject) -> None:
    """A file that stops before its last pixel is no picture; what comes behind it may be missing."""
    file = VALID[name]
    end = data.draw(st.integers(0, len(file) - 1))
    try:
        image = decode(file[:end], LIMITS)
    except InvalidImage:
        return
    assert pixels_of(image) == pixels_of(decode(file, LIMITS))


@pytest.mark.parametrize("name", VALID)
def test_half_a_picture_is_refused(name: str) -> None:
    """Half of the bytes of its first frame are not enough."""
    first_frame = 2 if "animated" in name else 1
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        decode(VALID[name][: len(VALID[name]) // 2 // first_frame], LIMITS)


@given(st.sampled_from(sorted(VALID)), st.data())
def test_flipped_bits_never_crash(name: str, data: st.DataObject) -> None:
    """A damaged file is refused or gives a plain picture."""
    damaged = bytearray(VALID[name])
    for position in data.draw(st.lists(st.integers(0, len(damaged) * 8 - 1), min_size=1, max_size=8)):
        damaged[position // 8] ^= 1 << position % 8
    try:
        image = decode(bytes(damaged), LIMITS)
    except InvalidImage:
        return
    assert image.mode in {"RGB", "RGBA"}


def test_limits_are_checked_before_decoding() -> None:
    """The last allowed byte and pixel pass, one more does not."""
    data = VALID["png"]
    assert decode(data, PictureLimits(bytes=len(data), pixels=24 * 16)).size == (24, 16)
    with pytest.raises(InvalidImage, match="MB"):
        decode(data, PictureLimits(bytes=len(data) - 1))
    with pytest.raises(InvalidImage, match="383 pixels"):
        decode(data, PictureLimits(pixels=24 * 16 - 1))


def test_no_warning_filter_and_no_global_guards_the_pixels() -> None:
    """Threads that decode bombs and good pictures at once do not disturb each other, nor warn."""

    def outcome(data: bytes) -> bool:
        try:
            return decode(data, LIMITS).size == (24, 16)
        except InvalidImage:
            return False

    with warnings.catch_warnings(record=True) as warned, ThreadPoolExecutor(8) as threads:
        warnings.simplefilter("always")
        outcomes = list(threads.map(outcome, [VALID["png"], HOSTILE["png that claims 10000x10000"]] * 50))
    assert outcomes == [True, False] * 50
    assert not warned


def test_metadata_does_not_leave() -> None:
    """Where a photo was taken stays with its sender: what we encode holds pixels only."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret place")
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    encoded = encode(decode(saved(gradient(), pnginfo=text, exif=exif, icc_profile=b"secret place" * 20), LIMITS))
    with Image.open(io.BytesIO(encoded)) as sent:
        sent.load()
        assert sent.info == {}


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_encode_loses_nothing(mode: str) -> None:
    """What is encoded decodes to the same mode and pixels."""
    image = gradient().convert(mode)
    again = decode(encode(image), LIMITS)
    assert again.mode == mode
    assert pixels_of(again) == pixels_of(image)


def test_sniff_goes_by_the_first_twelve_bytes() -> None:
    """The type is told without decoding, and only for the three formats."""
    assert [sniff(VALID[name][:12]) for name in ("png", "jpeg", "webp")] == ["image/png", "image/jpeg", "image/webp"]
    assert [sniff(HOSTILE[name][:12]) for name in ("nothing", "svg", "gif", "bmp", "tiff", "ico")] == [None] * 6
    assert sniff(b"RIFF\0\0\0\0WAVE") is None


def test_opaque_means_no_pixel_below_255() -> None:
    """One pixel with alpha 254 makes a picture transparent; an alpha channel alone does not."""
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    assert is_opaque(image)
    assert is_opaque(image.convert("RGB"))
    image.putpixel((3, 3), (0, 0, 0, 254))
    assert not is_opaque(image)


@given(st.integers(1, 2000), st.integers(1, 2000), st.sampled_from([1, 16 / 9, 9 / 16, 3 / 4, 4 / 3]))
def test_a_crop_has_the_ratio_and_is_the_largest(width: int, height: int, ratio: float) -> None:
    """Within 1 % of the ratio wherever whole pixels allow it, and one side stays whole."""
    crop = crop_to_ratio(Image.new("L", (width, height)), ratio)
    assert crop.width == width or crop.height == height
    assert abs(crop.width - crop.height * ratio) <= max(1, ratio)
    if min(crop.size) >= 50:
        assert abs(crop.width / crop.height / ratio - 1) <= 0.01


def test_a_crop_keeps_the_middle() -> None:
    """As much goes on one side as on the other."""
    ramp = Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (100, 1)))
    assert crop_to_ratio(ramp, 1).getpixel((0, 0)) == 50
