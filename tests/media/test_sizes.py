"""The shapes that pictures can be asked in."""

import pytest

from deployments.media.sizes import AspectRatio, CanvasSize


@pytest.mark.parametrize("ratio", AspectRatio)
def test_a_ratio_s_pixels_have_it(ratio: AspectRatio) -> None:
    """To the pixel, the longer side being 1024."""
    width, height = ratio.pixels
    assert width / height == ratio.quotient
    assert max(width, height) == 1024


def test_the_presets_have_the_documented_pixels() -> None:
    """Those of fal.ai's presets of the same name, 3:4 and 16:9 among them."""
    assert {preset.value: preset.pixels for preset in CanvasSize} == {
        "square_hd": (1024, 1024),
        "square": (512, 512),
        "portrait_4_3": (768, 1024),
        "portrait_16_9": (576, 1024),
        "landscape_4_3": (1024, 768),
        "landscape_16_9": (1024, 576),
    }
