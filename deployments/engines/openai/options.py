"""What can be set of the openai engine in `serve_config.yaml`. Its key comes from `OPENAI_API_KEY` alone."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from deployments.engines.base import Verb
from deployments.engines.engine_options import EngineOptions, StrictModel
from deployments.engines.openai.models import MODELS, Model
from deployments.settings import BaseUrl

OPENAI = "https://api.openai.com/v1"
_DEFAULT = MODELS["gpt-image-2"]


def _by_name(value: object) -> object:
    """A plain name is the table's model, or any other that takes any size and one picture or more."""
    return MODELS.get(value, {"model": value}) if isinstance(value, str) else value


_ChosenModel = Annotated[Model | None, BeforeValidator(_by_name)]


class VerbModels(StrictModel):
    """The model behind each verb: a name, or the fields of `Model`. OpenAI's own have a default."""

    portrait: _ChosenModel = None
    background: _ChosenModel = None
    cut_out: _ChosenModel = None
    blend: _ChosenModel = None


class OpenAIOptions(EngineOptions):
    """`base_url` is a server that speaks OpenAI's images API; None is OpenAI itself, which needs `OPENAI_API_KEY`.

    `charges: false` is a server of one's own: a call whose answer was lost is repeated there. `deadline_s` bounds one
    call, which lasts as long as the picture takes, and belongs below `deadlines.stage_s`.
    """

    base_url: BaseUrl | None = None
    charges: bool = True
    models: VerbModels = VerbModels()
    deadline_s: float = Field(default=240, gt=0)

    def model(self, verb: Verb) -> Model | None:
        """The model that is set for a verb; None where the server's models are its operator's to name."""
        chosen: Model | None = getattr(self.models, verb)
        return _DEFAULT if chosen is None and self.base_url is None else chosen
