"""Portraits: `framing`, `styles` and `portrait`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deployments.engines.local.faces import Face
from deployments.engines.local.framing import bust, frame
from deployments.engines.local.portrait import draw_portrait
from deployments.engines.local.segmentation import find_people
from deployments.engines.local.styles import Style, style_for
from deployments.engines.local.words import PromptWords
from deployments.errors import NoPersonFound
from deployments.media.sizes import AspectRatio

DATA = Path(__file__).parents[2] / "data"
NAMES = ("astronaut", "grace_hopper")


def photo(name: str) -> Image.Image:
    return Image.open(DATA / f"{name}.jpg").convert("RGB")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ratio", AspectRatio)
def test_every_ratio_shows_head_and_shoulders(name: str, ratio: AspectRatio) -> None:
    """The size is exact, the upper corners are empty, the face is whole and opaque, and the body ends at the bottom."""
    image = draw_portrait(photo(name), Style.PHOTO, ratio.pixels)
    assert (image.size, image.mode) == (ratio.pixels, "RGBA")
    alpha = np.asarray(image)[..., 3]
    assert alpha[:8, :8].max() == 0
    assert alpha[:8, -8:].max() == 0
    assert alpha[:2].max() == 0, "the head is not cut off"
    assert alpha[-1].max() == 255, "the body does not float"
    face = find_people(np.asarray(on_grey(image))).faces[0]
    assert 0.35 < face.x / image.width < 0.65
    assert 0.2 < face.y / image.height < 0.62
    assert alpha[round(face.y), round(face.x)] == 255


def on_grey(image: Image.Image) -> Image.Image:
    backdrop = Image.new("RGB", image.size, "gray")
    backdrop.paste(image, mask=image.getchannel("A"))
    return backdrop


@pytest.mark.parametrize("style", Style)
def test_every_style_keeps_the_matte_of_the_photo(style: Style) -> None:
    """A style changes colours (each in its own way) and never the outline."""
    size = (192, 256)
    plain = np.asarray(draw_portrait(photo("astronaut"), Style.PHOTO, size))
    drawn = np.asarray(draw_portrait(photo("astronaut"), style, size))
    assert np.array_equal(drawn[..., 3], plain[..., 3])
    assert (style is Style.PHOTO) == np.array_equal(drawn, plain)


def test_the_same_photo_gives_the_same_portrait() -> None:
    """Drawing is deterministic."""
    first, second = (draw_portrait(photo("astronaut"), Style.CARTOON, (192, 256)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_portrait_needs_a_person() -> None:
    """Without one there is nothing to draw."""
    with pytest.raises(NoPersonFound):
        draw_portrait(Image.new("RGB", (300, 200), "teal"), Style.CARTOON, (256, 256))


def test_only_the_largest_face_is_drawn() -> None:
    """Somebody else who stands apart in the photo is left out of the portrait."""
    pair = Image.new("RGB", (1224, 600), "gray")
    pair.paste(photo("grace_hopper"), (712, 0))
    pair.paste(photo("astronaut").resize((256, 256)).crop((20, 0, 170, 256)), (420, 300))
    alpha = np.asarray(draw_portrait(pair, Style.PHOTO, (1024, 576)))[..., 3]
    assert alpha[:, :200].max() == 0


def silhouette(width: int, height: int) -> np.ndarray:
    """A head of 100 by 130 pixels around (width / 2, 115), on shoulders as wide as the photo from row 200 down."""
    matte = np.zeros((height, width), np.float32)
    matte[50:200, width // 2 - 50 : width // 2 + 50] = 1.0
    matte[200:] = 1.0
    return matte


def test_a_frame_hides_where_the_photo_cuts_the_person() -> None:
    """Where the shape allows, the frame ends at or before the photo's sides, and at its bottom at the latest."""
    box = frame(silhouette(400, 500), Face(200, 130, 90, 100, 1.0), ratio=4 / 3)
    assert box.left >= 0
    assert box.right <= 400
    assert box.bottom <= 500
    assert box.top < 50


def test_a_head_that_the_photo_cuts_touches_the_edge() -> None:
    """There is no room above a head whose top is missing: the cut lies on the canvas's edge."""
    matte = silhouette(400, 500)[60:]
    assert frame(matte, Face(200, 70, 90, 100, 1.0), ratio=1.0).top == 0


def test_cut_sides_are_rounded_off() -> None:
    """A bust starts at the shoulder, narrows downwards on the sides named, and leaves everything else alone."""
    matte = silhouette(400, 500)
    rounded = bust(matte, left=True, right=False)
    edge = (rounded[200:] < 0.5).sum(axis=1)
    assert edge[0] == 0
    assert edge[-1] > 40
    assert np.all(np.diff(edge) >= 0)
    assert np.array_equal(rounded[:, 200:], matte[:, 200:])
    assert np.array_equal(rounded[:200], matte[:200])
    assert np.array_equal(bust(matte, left=False, right=True), rounded[:, ::-1])


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
