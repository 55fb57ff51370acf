"""A portrait in each ratio: one person, head and shoulders, and nothing around them."""

import numpy as np
import pytest
from PIL import Image

from deployments.engines.local.portrait import draw_portrait
from deployments.engines.local.segmentation import find_people
from deployments.engines.local.styles import Style
from deployments.errors import NoPersonFound
from deployments.media.sizes import AspectRatio
from tests.engines.local.photos import NAMES, photo


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


def test_the_same_photo_gives_the_same_portrait() -> None:
    """Drawing is deterministic."""
    first, second = (draw_portrait(photo("astronaut"), Style.CARTOON, (192, 256)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_portrait_needs_a_person() -> None:
    """Without one there is nothing to draw."""
    with pytest.raises(NoPersonFound, match="No person was found in the picture"):
        draw_portrait(Image.new("RGB", (300, 200), "teal"), Style.CARTOON, (256, 256))


@pytest.mark.parametrize("ratio", AspectRatio)
def test_a_tight_narrow_portrait_shows_its_person(ratio: AspectRatio) -> None:
    """In this one, a second look sees almost nobody."""
    narrow = photo("grace_hopper").crop((212, 67, 334, 452))
    alpha = np.asarray(draw_portrait(narrow, Style.PHOTO, ratio.pixels))[..., 3]
    assert (alpha > 128).mean() > 0.15


def test_only_the_largest_face_is_drawn() -> None:
    """Somebody else who stands apart in the photo is left out of the portrait."""
    pair = Image.new("RGB", (1224, 600), "gray")
    pair.paste(photo("grace_hopper"), (712, 0))
    pair.paste(photo("astronaut").resize((256, 256)).crop((20, 0, 170, 256)), (420, 300))
    alpha = np.asarray(draw_portrait(pair, Style.PHOTO, (1024, 576)))[..., 3]
    assert alpha[:, :200].max() == 0
