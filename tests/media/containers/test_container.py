"""Whatever is spoilt of what carries no pixels: the picture stays the same."""

import random

import pytest

from deployments.errors import InvalidImage
from deployments.media.images import decode
from tests.media.containers.fuzz import LIMITS, good_pictures, outcome, with_spoilt_parts
from tests.media.photo_files import good_files, joined

FILES = good_files()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", FILES)
def test_spoilt_metadata_changes_nothing(name: str, seed: int) -> None:
    """One part after the other: flipped, overwritten, cut and stretched."""
    chance = random.Random(seed)
    for _ in range(5):
        assert outcome(name, with_spoilt_parts(FILES[name], 1, chance)) == "the same"


@pytest.mark.parametrize("name", FILES)
def test_spoilt_files_end_well(name: str) -> None:
    """Whatever is spoilt, pixels too: there is a plain picture, or `InvalidImage`, and nothing else."""
    chance = random.Random(name)
    for _ in range(40):
        try:
            image = decode(with_spoilt_parts(FILES[name], 3, chance, anywhere=True), LIMITS)
        except InvalidImage:
            continue
        assert image.mode in {"RGB", "RGBA"}


@pytest.mark.parametrize("name", FILES)
def test_no_metadata_is_needed(name: str) -> None:
    """The parts that carry pixels are the whole picture."""
    pixels = joined([part for part in FILES[name] if part.carries_pixels])
    assert decode(pixels, LIMITS).tobytes() == good_pictures()[name].tobytes()
