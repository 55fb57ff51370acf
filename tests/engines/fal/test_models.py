"""The promises of deployments.engines.fal.models."""

import pytest
from pydantic import JsonValue

from deployments.engines.fal.models import MODELS, Model, aspect_ratio_of, image_size_of
from deployments.media.sizes import AspectRatio, CanvasSize, Size
from tests.fal_emulator.schemas import SCHEMAS


@pytest.mark.parametrize("ratio", AspectRatio)
def test_ratios_have_presets(ratio: AspectRatio) -> None:
    """Each ratio of the API has a preset of the same shape, for models that take presets; and comes back from it."""
    preset = image_size_of(ratio.pixels)
    assert isinstance(preset, str)
    assert aspect_ratio_of(CanvasSize(preset).pixels) == ratio.value


@pytest.mark.parametrize("canvas", CanvasSize)
def test_presets_have_ratios(canvas: CanvasSize) -> None:
    """Each preset of an overlay is called by its own name, and has the ratio of its pixels, whichever is asked."""
    assert image_size_of(canvas.pixels) == canvas.value
    assert AspectRatio(aspect_ratio_of(canvas.pixels)).quotient == canvas.pixels[0] / canvas.pixels[1]


@pytest.mark.parametrize(("size", "ratio", "image_size"), [((1000, 990), "1:1", {"width": 1000, "height": 990})])
def test_other_sizes(size: Size, ratio: str, image_size: JsonValue) -> None:
    """Any other size has the nearest ratio, and stands for itself."""
    assert (aspect_ratio_of(size), image_size_of(size)) == (ratio, image_size)


@pytest.mark.parametrize("endpoint", MODELS)
def test_the_table_agrees_with_fals_pages(endpoint: str) -> None:
    """What the table says of a model is what the model's page says."""
    model, schema = MODELS[endpoint], SCHEMAS[endpoint]
    assert model.image_field == (schema.one or schema.many)
    assert model.size == (schema.size or "none")
    assert model.images_taken == (0 if model.images == "none" else min(schema.most, model.images_taken))
    assert model.parameters.keys() <= schema.options
    assert model.output.startswith(schema.output)


def test_what_is_given_goes_before_what_is_fixed() -> None:
    """A fixed parameter cannot hide the caller's own words."""
    model = Model(endpoint="a/b", images="none", parameters={"prompt": "fixed", "steps": 4})
    assert model.arguments("words", (1, 1), ()) == {"prompt": "words", "steps": 4}
    assert model.parameters["prompt"] == "fixed"
