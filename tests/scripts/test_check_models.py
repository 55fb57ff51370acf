"""The promises of scripts/check_models.py."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.engines.fal.models import MODELS, Model
from deployments.settings import Settings
from scripts.check_models import SCHEMA_URL, fal_models, main, problems
from tests.fal_emulator.schemas import SCHEMAS, openapi


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Leads to fal's public schemas."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url.copy_with(query=None)) == SCHEMA_URL
        assert "authorization" not in request.headers
        endpoint = request.url.params["endpoint_id"]
        if endpoint == "me/unreadable":
            return httpx.Response(200, text="<html>")
        return httpx.Response(200, json=openapi(endpoint)) if endpoint in SCHEMAS else httpx.Response(404)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        yield client


@pytest.mark.parametrize("endpoint", MODELS)
def test_the_whole_table_passes(endpoint: str, client: httpx.Client) -> None:
    """A model that exists and takes what we send is no problem."""
    model = MODELS[endpoint]
    assert list(problems("cut_out" if model.output == "image.url" else "blend", model, client)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"endpoint": "fal-ai/imagen4"}, "m.blend: fal has no model 'fal-ai/imagen4' any more; choose another."),
        ({"endpoint": "me/unreadable"}, "m.blend: fal's schema of 'me/unreadable' cannot be read."),
        ({"image_field": "photo"}, "m.blend: 'fal-ai/flux-pulid' does not take 'photo'."),
        ({"parameters": {"magic": 1}}, "m.blend: 'fal-ai/flux-pulid' does not take 'magic'."),
        ({"output": "image.url"}, "m.blend.output: the result of 'fal-ai/flux-pulid' has no 'image'."),
    ],
)
def test_what_it_finds(change: dict[str, object], problem: str, client: httpx.Client) -> None:
    """Each problem is one sentence that names the setting to change."""
    model = Model.model_validate(MODELS["fal-ai/flux-pulid"].model_dump() | change)
    assert list(problems("blend", model, client)) == [problem.replace("m.", "engine_options.models.", 1)]


def test_wrong_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that does not hold is said in one line."""
    config = tmp_path / "serve_config.yaml"
    config.write_text("applications: [{args: {engine_options: {models: {portrait: no/such}}}}]")
    assert main([str(config)]) == 2
    assert "engine_options.models.portrait: 'no/such' is not in the table" in capsys.readouterr().err


def test_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the internet it says that nothing was checked, in one line, and fails."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # where nobody listens
    config = tmp_path / "serve_config.yaml"
    config.write_text("applications: [{args: {}}]")
    assert main([str(config)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Nothing was checked: fal.ai does not answer (")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "place", "verbs"),
    [
        ({}, "engine_options", {"portrait", "background", "cut_out", "blend"}),
        ({"engine": "local"}, "engine_options", set()),
        ({"engine": "openai", "engine_options": {"charges": False}}, "engine_options", set()),
        ({"engines": {"cut_out": "local", "blend": "none"}}, "engine_options.fal", {"portrait", "background"}),
        (
            {"engine": "local", "engines": {"portrait": ["openai", "fal"], "blend": "auto"}},
            "engine_options.fal",
            {"portrait", "blend"},
        ),
    ],
)
def test_which_models_it_asks_about(settings: dict[str, object], place: str, verbs: set[str]) -> None:
    """Those of every verb that fal may be asked for, wherever in a list it stands."""
    found, models = fal_models(Settings.model_validate(settings))
    assert (found, set(models)) == (place, verbs)


def test_a_model_of_a_chain_is_asked_about_where_it_is_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the place."""
    config = tmp_path / "serve_config.yaml"
    options = "engine_options: {fal: {models: {portrait: no/such}}}"
    config.write_text(f"applications: [{{args: {{engines: {{portrait: [local, fal]}}, {options}}}}}]")
    assert main([str(config)]) == 2
    assert "engine_options.fal.models.portrait: 'no/such' is not in the table" in capsys.readouterr().err
