"""Sizes: what is asked of a model is what it has, and nearest to what is wanted."""

import pytest
from pydantic import ValidationError

from deployments.engines.openai.models import MODELS, Model
from deployments.media.sizes import AspectRatio, CanvasSize, Size
from tests.openai_emulator.schemas import SCHEMAS, check

WANTED = [*(ratio.pixels for ratio in AspectRatio), *(canvas.pixels for canvas in CanvasSize)]
ODD = [(1, 1), (1, 5000), (5000, 1), (333, 250), (4000, 6000), (20, 19), (8000, 8000)]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [*WANTED, *ODD])
def test_each_model_takes_what_is_asked_of_it(name: str, size: Size) -> None:
    """Whatever is wanted; OpenAI refuses any other size."""
    check({"model": name, "prompt": "x", "size": MODELS[name].size_for(size)}, None)


@pytest.mark.parametrize(
    ("name", "wanted", "asked"),
    [
        ("gpt-image-2", (1024, 1024), "1024x1024"),
        ("gpt-image-2", (1024, 576), "1088x608"),  # 1024x576 are too few pixels
        ("gpt-image-2", (576, 1024), "608x1088"),
        ("gpt-image-2", (768, 1024), "768x1024"),
        ("gpt-image-2", (512, 512), "816x816"),
        ("gpt-image-2", (4000, 6000), "2352x3520"),
        ("gpt-image-1.5", (1024, 576), "1536x1024"),
        ("gpt-image-1.5", (768, 1024), "1024x1536"),
        ("gpt-image-1.5", (1024, 1000), "1024x1024"),
    ],
)
def test_the_nearest_size(name: str, wanted: Size, asked: str) -> None:
    """In shape first, then in area."""
    assert MODELS[name].size_for(wanted) == asked


def test_a_model_of_ones_own() -> None:
    """Takes any size, or none, or those that are listed."""
    assert Model(model="mine").size_for((333, 250)) == "333x250"
    assert Model(model="mine", sizes="none").size_for((333, 250)) is None
    assert Model(model="mine", sizes=("512x512", "256x256")).size_for((200, 200)) == "256x256"
    with pytest.raises(ValidationError):
        Model(model="mine", sizes=("512",))


def test_the_table_is_openais() -> None:
    """And no model takes more pictures than OpenAI does, or is transparent where OpenAI's is not."""
    assert MODELS.keys() == SCHEMAS.keys()
    for name, model in MODELS.items():
        assert model.transparent == SCHEMAS[name].transparent
        assert model.images_taken == SCHEMAS[name].most_images
