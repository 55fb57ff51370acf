"""Settings and environment: what is misspelt or impossible stops the start with one clear line."""

from pathlib import Path

import pytest
import yaml

from deployments.errors import SettingsError
from deployments.settings import Environment, Settings

CONFIG = Path(__file__).parents[1] / "serve_config.yaml"


def test_the_shipped_config_says_the_defaults() -> None:
    """`serve run graph:app`, which reads no file, runs with the same settings as `serve run serve_config.yaml`."""
    assert Settings.load(CONFIG) == Settings()


def test_the_shipped_config_names_every_setting() -> None:
    """A reader of the file sees all there is to set (but `s3`, which belongs to `storage: s3`)."""
    args = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["applications"][0]["args"]
    assert set(args) == set(Settings.model_fields) - {"s3"}
    for section in ("limits", "deadlines", "retention"):
        assert set(args[section]) == set(getattr(Settings(), section).model_dump())


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"engin": "local"}, "engin: there is no such setting"),
        ({"limits": {"body_byte": 1}}, "limits.body_byte: there is no such setting"),
        ({"engine": "no such"}, "engine: "),
        ({"limits": {"body_bytes": 0}}, "limits.body_bytes: "),
        ({"limits": {"source_images": 9}}, "limits.source_images: "),
        ({"deadlines": {"task_s": "soon"}}, "deadlines.task_s: "),
        ({"storage": "s3"}, "s3"),
        ({"s3": {"bucket": "pictures"}}, "s3"),
        ({"storage": "ftp"}, "storage: "),
        ({"cors_origins": ["example.com/"]}, "cors_origins.0: "),
        ({"public_url": "example.com"}, "public_url: "),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(wrong: dict[str, object], named: str) -> None:
    """Whoever passes it: the file, or Ray's builder."""
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate(wrong)
    assert str(caught.value).startswith(("`storage: s3`", named))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "applications: []", "applications: {}", "- 1", "a: [", "applications: [1]"])
def test_a_broken_file_is_one_error(tmp_path: Path, text: str) -> None:
    """Whatever is broken about it."""
    path = tmp_path / "serve_config.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError):
        Settings.load(path)
    with pytest.raises(SettingsError):
        Settings.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("variables", "setting", "engine"),
    [
        ({}, "auto", "local"),
        ({"FAL_KEY": "k"}, "auto", "fal"),
        ({"FAL_KEY": ""}, "auto", "local"),
        ({"FAL_KEY": "k"}, "local", "local"),
        ({"FAL_KEY": "k", "AIGE_ENGINE": "local"}, "fal", "local"),
        ({"AIGE_ENGINE": "my.engines:Mine"}, "auto", "my.engines:Mine"),
    ],
)
def test_which_engine_runs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], setting: str, engine: str
) -> None:
    """`auto` goes by FAL_KEY; AIGE_ENGINE overrides the setting."""
    for name in ("FAL_KEY", "AIGE_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Environment().engine(Settings(engine=setting)) == engine


def test_api_keys_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """White space and empty entries do not count; no key stands in a representation."""
    monkeypatch.setenv("AIGE_API_KEYS", " key-1, key-2,, ")
    monkeypatch.setenv("FAL_KEY", "very-secret")
    environment = Environment()
    assert environment.api_keys == {"key-1", "key-2"}
    assert "key-1" not in repr(environment)
    assert "very-secret" not in repr(environment)


def test_a_wrong_variable_is_one_line_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a secret that was put in the wrong place."""
    monkeypatch.setenv("AIGE_ENGINE", "sk secret")
    with pytest.raises(SettingsError) as caught:
        Environment()
    assert str(caught.value).startswith("aige_engine: ")
    assert "secret" not in str(caught.value)
