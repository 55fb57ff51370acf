"""Asks fal whether the models that `serve_config.yaml` sets still exist and take what we send. Needs no key.

Run it as `make check-models`, or `python -m scripts.check_models [CONFIG]`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from pydantic import BaseModel, Field

from deployments.engines.base import Verb
from deployments.engines.fal.models import Model
from deployments.engines.fal.options import FalOptions
from deployments.errors import SettingsError
from deployments.settings import Settings

SCHEMA_URL = "https://fal.ai/api/openapi/queue/openapi.json"


class _Object(BaseModel):
    properties: dict[str, object] = {}


class _Reference(BaseModel):
    ref: str = Field(alias="$ref")


class _Media(BaseModel):
    definition: _Reference = Field(alias="schema")


class _Content(BaseModel):
    content: dict[str, _Media] = {}


class _Operation(BaseModel):
    body: _Content = Field(default=_Content(), alias="requestBody")
    responses: dict[str, _Content] = {}


class _Path(BaseModel):
    get: _Operation = _Operation()
    post: _Operation = _Operation()


class _Components(BaseModel):
    schemas: dict[str, _Object]


class _Document(BaseModel):
    """As much of a model's OpenAPI document as tells what goes in and what comes out."""

    paths: dict[str, _Path]
    components: _Components

    def taken(self, endpoint: str) -> set[str]:
        return self._fields(self.paths[f"/{endpoint}"].post.body)

    def given(self, endpoint: str) -> set[str]:
        return self._fields(self.paths[f"/{endpoint}/requests/{{request_id}}"].get.responses["200"])

    def _fields(self, content: _Content) -> set[str]:
        name = content.content["application/json"].definition.ref.rpartition("/")[2]
        return set(self.components.schemas[name].properties)


def problems(verb: str, model: Model, client: httpx.Client, place: str = "engine_options") -> Iterator[str]:
    """What is wrong with a verb's model, one sentence each; `place` is where the models are set."""
    setting = f"{place}.models.{verb}"
    response = client.get(SCHEMA_URL, params={"endpoint_id": model.endpoint})
    if response.status_code == httpx.codes.NOT_FOUND:
        yield f"{setting}: fal has no model {model.endpoint!r} any more; choose another."
        return
    try:
        document = _Document.model_validate_json(response.raise_for_status().content)
        taken, given = document.taken(model.endpoint), document.given(model.endpoint)
    except (ValueError, LookupError):
        yield f"{setting}: fal's schema of {model.endpoint!r} cannot be read."
        return
    for field in sorted(_sent(verb, model) - taken):
        yield f"{setting}: {model.endpoint!r} does not take {field!r}."
    if (first := model.output.partition(".")[0]) not in given:
        yield f"{setting}.output: the result of {model.endpoint!r} has no {first!r}."


def fal_models(settings: Settings) -> tuple[str, dict[str, Model]]:
    """Where fal's options stand, and its model for each verb that it may be asked for; `auto` may mean fal.

    Raises:
        SettingsError: the options are wrong.
    """
    engines, place = settings.engines, "engine_options"
    options: object = settings.engine_options
    if engines is not None:
        options, place = settings.engine_options.get("fal", {}), "engine_options.fal"
    chosen = {verb: getattr(engines, verb, None) or (settings.engine,) for verb in Verb}
    if engines is not None and engines.blend == ():
        chosen[Verb.BLEND] = ()
    verbs = [verb for verb, names in chosen.items() if {"auto", "fal"} & set(names)]
    if not verbs or not isinstance(options, dict):
        return place, {}
    models = FalOptions.parse(options, place).models
    return place, {verb: getattr(models, verb) for verb in verbs}


def _sent(verb: str, model: Model) -> set[str]:
    prompt = None if verb == "cut_out" else "a prompt"
    return set(model.arguments(prompt, (1024, 1024), ["https://photos.example/me.png"]))


def main(arguments: list[str]) -> int:
    """Prints what it finds; 0 if nothing is wrong."""
    try:
        settings = Settings.load(Path(arguments[0] if arguments else "serve_config.yaml"))
        place, models = fal_models(settings)
        with httpx.Client(timeout=30, follow_redirects=True) as client:
            found = [problem for verb, model in models.items() for problem in problems(verb, model, client, place)]
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except httpx.HTTPError as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        print(f"Nothing was checked: fal.ai does not answer ({reason}). This needs the internet.", file=sys.stderr)
        return 2
    fine = "fal has all models, and they take what we send." if models else "No verb is fal's: there is nothing to ask."
    print("\n".join(found) or fine)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
