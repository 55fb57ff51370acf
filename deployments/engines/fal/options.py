"""What can be set of the fal engine: `engine_options` in `serve_config.yaml`. Its key comes from `FAL_KEY` alone."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from deployments.engines.engine_options import EngineOptions, StrictModel
from deployments.engines.fal.models import MODELS, Model


def _from_table(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in MODELS:
        raise ValueError(f"{value!r} is not in the table of models: describe it by its fields, `endpoint` and so on")
    return MODELS[value]


def _takes_pictures(model: Model) -> Model:
    if model.images == "none":
        raise ValueError("needs a model that takes images")
    return model


def _takes_none(model: Model) -> Model:
    if model.images != "none":
        raise ValueError("needs a model that makes pictures of a prompt alone")
    return model


_ChosenModel = Annotated[Model, BeforeValidator(_from_table)]
_PictureModel = Annotated[_ChosenModel, AfterValidator(_takes_pictures)]
_PromptModel = Annotated[_ChosenModel, AfterValidator(_takes_none)]


class VerbModels(StrictModel):
    """The model behind each verb: the endpoint of one in the table, or the fields of any other."""

    portrait: _PictureModel = MODELS["fal-ai/nano-banana-2/edit"]
    background: _PromptModel = MODELS["fal-ai/nano-banana-2"]
    cut_out: _PictureModel = MODELS["fal-ai/birefnet/v2"]
    blend: _PictureModel = MODELS["fal-ai/nano-banana-2/edit"]


class FalOptions(EngineOptions):
    """`deadline_s` bounds one call from its inputs to its result, and belongs below `deadlines.stage_s`.

    `submit_s` is how long fal may take to accept a request. `store_io` and `keep_files_s` are about photos of people:
    whether fal keeps what goes into and comes out of a model, and after how long it deletes files (None: never).
    `find_lost` asks fal's list of requests for a submit whose answer was lost; the key must be one that may.
    """

    models: VerbModels = VerbModels()
    blend: bool = True
    deadline_s: float = Field(default=240, gt=0)
    submit_s: float = Field(default=60, gt=0)
    store_io: bool = False
    keep_files_s: int | None = Field(default=3600, ge=60)
    find_lost: bool = False

    @model_validator(mode="after")
    def _lists_what_is_kept(self) -> Self:
        if self.find_lost and not self.store_io:
            raise ValueError(
                "`find_lost` needs `store_io: true`: fal tells what a request was about only if it keeps it"
            )
        return self
