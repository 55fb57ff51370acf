"""The shapes that pictures can be asked in."""

import json
from pathlib import Path

import pytest

from deployments.media.sizes import AspectRatio, CanvasSize

SIZES = Path(__file__).parents[1] / "data/sizes.json"


@pytest.mark.parametrize("ratio", AspectRatio)
def test_a_ratio_s_pixels_have_it(ratio: AspectRatio) -> None:
    """To the pixel, the longer side being 1024."""
    width, height = ratio.pixels
    assert width / height == ratio.quotient
    assert max(width, height) == 1024


def test_the_presets_have_the_documented_pixels() -> None:
    """Those of fal.ai's presets of the same name. The studio's tests hold its own table against the same file."""
    presets = {preset.value: list(preset.pixels) for preset in CanvasSize}
    assert presets == json.loads(SIZES.read_text(encoding="utf-8"))
