"""The promises of deployments.engines.fal.options: what may be set, and one clear line on what may not."""

import pytest

from deployments.engines.fal.models import MODELS
from deployments.engines.fal.options import FalOptions
from deployments.errors import SettingsError

MODEL = {"endpoint": "me/mine", "images": "one", "image_field": "photo"}

WRONG: list[tuple[dict[str, object], str]] = [
    ({"modles": {}}, "engine_options.modles: there is no such setting"),
    ({"models": {"portait": "fal-ai/flux/dev"}}, "engine_options.models.portait: there is no such setting"),
    (
        {"models": {"portrait": "fal-ai/no-such"}},
        "engine_options.models.portrait: 'fal-ai/no-such' is not in the table",
    ),
    ({"models": {"portrait": "fal-ai/flux/dev"}}, "engine_options.models.portrait: needs a model that takes images"),
    ({"models": {"background": "fal-ai/birefnet/v2"}}, "engine_options.models.background: needs a model that makes"),
    ({"models": {"cut_out": MODEL | {"images": "two"}}}, "engine_options.models.cut_out.images: "),
    ({"models": {"cut_out": MODEL | {"image_field": None}}}, "engine_options.models.cut_out: `image_field` is needed"),
    ({"models": {"cut_out": MODEL | {"endpoint": "https://x"}}}, "engine_options.models.cut_out.endpoint: "),
    ({"models": {"cut_out": MODEL | {"sizes": "x"}}}, "engine_options.models.cut_out.sizes: there is no such setting"),
    ({"deadline_s": 0}, "engine_options.deadline_s: "),
    ({"deadline_s": float("nan")}, "engine_options.deadline_s: "),
    ({"keep_files_s": 1}, "engine_options.keep_files_s: "),
    ({"find_lost": True}, "engine_options: `find_lost` needs `store_io: true`"),
    ({"blend": "perhaps"}, "engine_options.blend: "),
    ({"models": []}, "engine_options.models: "),
]


@pytest.mark.parametrize(("options", "start"), WRONG)
def test_wrong_options(options: dict[str, object], start: str) -> None:
    """A misspelt or impossible option is refused in one line that names it."""
    with pytest.raises(SettingsError) as caught:
        FalOptions.parse(options)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


def test_defaults() -> None:
    """Nothing has to be set."""
    models = FalOptions.parse({}).models
    endpoints = [model.endpoint for model in (models.portrait, models.background, models.cut_out, models.blend)]
    edit = "fal-ai/nano-banana-2/edit"
    assert endpoints == [edit, "fal-ai/nano-banana-2", "fal-ai/birefnet/v2", edit]


@pytest.mark.parametrize("endpoint", MODELS)
def test_a_model_is_named_or_described(endpoint: str) -> None:
    """A model of the table can be named by its endpoint; the same can be said in full."""
    model = MODELS[endpoint]
    stage = "background" if model.images == "none" else "portrait"
    for written in (endpoint, model.model_dump()):
        assert getattr(FalOptions.parse({"models": {stage: written}}).models, stage) == model
