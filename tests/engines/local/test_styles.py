"""The looks of a portrait, and the words that ask for them."""

import numpy as np
import pytest

from deployments.engines.local.portrait import draw_portrait
from deployments.engines.local.styles import Style, style_for
from deployments.engines.local.words import PromptWords
from tests.engines.local.photos import photo


@pytest.mark.parametrize("style", Style)
def test_every_style_keeps_the_matte_of_the_photo(style: Style) -> None:
    """A style changes colours (each in its own way) and never the outline."""
    size = (192, 256)
    plain = np.asarray(draw_portrait(photo("astronaut"), Style.PHOTO, size))
    drawn = np.asarray(draw_portrait(photo("astronaut"), style, size))
    assert np.array_equal(drawn[..., 3], plain[..., 3])
    assert (style is Style.PHOTO) == np.array_equal(drawn, plain)


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("a portrait of me", Style.CARTOON),
        ("a cartoon from this photo", Style.CARTOON),
        ("Watercolour painting of my face", Style.WATERCOLOUR),
        ("a painting in watercolor", Style.WATERCOLOUR),
        ("an oil painting", Style.OIL),
        ("a painted portrait", Style.OIL),
        ("in the style of Van Gogh", Style.VAN_GOGH),
        ("pencil sketch, please", Style.SKETCH),
        ("mosaic", Style.MOSAIC),
        ("a realistic, natural photo", Style.PHOTO),
        ("POP ART!", Style.POP_ART),
        ("", Style.CARTOON),
    ],
)
def test_the_prompt_names_the_style(prompt: str, style: Style) -> None:
    """The style is read from the prompt, and these prompts are understood to the last word."""
    words = PromptWords(prompt)
    assert style_for(words) is style
    assert words.unknown == ()
