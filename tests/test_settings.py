"""Settings and environment: what is misspelt or impossible stops the start with one clear line."""

from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from deployments.errors import SettingsError
from deployments.settings import Environment, Settings

NO_ENGINE = "must be 'auto', 'fal', 'local', 'openai' or the place of a class, 'package.module:Class'"
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
        ({"limits": {"body_bytes": 0}}, "limits.body_bytes: must be greater than 0; it is 0"),
        ({"limits": {"source_images": 9}}, "limits.source_images: "),
        ({"limits": 5}, "limits: "),
        ({"deadlines": {"task_s": "soon"}}, "deadlines.task_s: "),
        ({"storage": "s3"}, "s3"),
        ({"s3": {"bucket": "pictures"}}, "s3"),
        ({"storage": "ftp"}, "storage: "),
        ({"cors_origins": ["example.com/"]}, "cors_origins.0: "),
        ({"public_url": "example.com"}, "public_url: "),
        ({"public_url": "https://müller.example"}, "public_url: must be in ASCII: write the host in its xn-- form"),
        ({"provenance": "maybe"}, "provenance: must be on or off"),
        ({"provenance": 1}, "provenance: must be on or off"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(wrong: dict[str, object], named: str) -> None:
    """Whoever passes it: the file, or Ray's builder."""
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate(wrong)
    assert str(caught.value).startswith(("`storage: s3`", named))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "means"), [("on", True), ("off", False), ('"on"', True), ("true", True), ("no", False)]
)
def test_a_switch_is_on_or_off(written: str, means: bool) -> None:
    """However YAML reads it."""
    assert Settings.model_validate(yaml.safe_load(f"provenance: {written}")).provenance is means


def test_a_url_that_may_hold_a_password_is_not_shown() -> None:
    """Neither where it is refused, nor in what is logged of the settings."""
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate({"journal": "mysql://user:very-secret@host/0"})
    assert str(caught.value) == (
        "journal: must not hold a name or a password: set AIGE_JOURNAL_URL to the URL, and this to 'redis'"
    )
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate({"journal": "very-secret"})
    assert str(caught.value) == (
        "journal: must be 'sqlite', 'redis', 'postgresql' or 'memory'; AIGE_JOURNAL_URL says where a server is"
    )


@pytest.mark.parametrize("url", ["redis://:very-secret@host/0", "rediss://user:very-secret@host", "redis://user@host"])
def test_settings_hold_no_password(url: str) -> None:
    """They are shown by Serve's REST answers, the dashboard and `kubectl`."""
    with pytest.raises(SettingsError, match="AIGE_JOURNAL_URL") as caught:
        Settings.model_validate({"journal": url})
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "url", "place"),
    [
        ("sqlite", None, "sqlite"),
        ("memory", None, "memory"),
        ("redis", "redis://u:p@h:1/0", "redis://u:p@h:1/0"),
        ("redis", "rediss://h", "rediss://h"),
        ("redis", "redis+sentinel://:p@a:1,b:2/master/0", "redis+sentinel://:p@a:1,b:2/master/0"),
        ("postgresql", "postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("redis://h:1/0", None, "redis://h:1/0"),
    ],
)
def test_where_the_journal_is(monkeypatch: pytest.MonkeyPatch, setting: str, url: str | None, place: str) -> None:
    """The setting says which kind, `AIGE_JOURNAL_URL` where; a Redis without a password may stand in the setting."""
    monkeypatch.setenv("AIGE_JOURNAL_URL", url or "")
    assert Environment().journal(Settings(journal=setting)) == place


@pytest.mark.parametrize(
    ("setting", "url", "fault"),
    [
        ("redis", "", "`journal: redis` needs AIGE_JOURNAL_URL, the URL of the server"),
        ("sqlite", "redis://h", "AIGE_JOURNAL_URL is set, but `journal` is 'sqlite'"),
        ("redis://h", "redis://h", "AIGE_JOURNAL_URL is set, but `journal` is 'redis://h'"),
        ("postgresql", "redis://:very-secret@h", "AIGE_JOURNAL_URL is not the URL of what `journal: postgresql` names"),
        ("redis", "mysql://:very-secret@h", "AIGE_JOURNAL_URL: must be a URL such as"),
    ],
)
def test_a_journal_and_its_url_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch, setting: str, url: str, fault: str
) -> None:
    """With one line, and without the URL."""
    monkeypatch.setenv("AIGE_JOURNAL_URL", url)
    with pytest.raises(SettingsError) as caught:
        Environment().journal(Settings(journal=setting))
    assert str(caught.value).startswith(fault)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "setting", "engine"),
    [
        ({}, "auto", "local"),
        ({"FAL_KEY": "k"}, "auto", "fal"),
        ({"FAL_KEY": ""}, "auto", "local"),
        ({"FAL_KEY_ID": "k", "FAL_KEY_SECRET": "s"}, "auto", "fal"),
        ({"FAL_KEY_ID": "k"}, "auto", "local"),
        ({"FAL_KEY": "k"}, "local", "local"),
        ({"FAL_KEY": "k", "AIGE_ENGINE": "local"}, "fal", "local"),
        ({"AIGE_ENGINE": "my.engines:Mine"}, "auto", "my.engines:Mine"),
    ],
)
def test_which_engine_runs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], setting: str, engine: str
) -> None:
    """`auto` goes by fal's key; AIGE_ENGINE overrides the setting."""
    for name in ("FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "AIGE_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Environment().engine(Settings(engine=setting)) == engine


def test_api_keys_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """White space and empty entries do not count; no key stands in a representation."""
    monkeypatch.setenv("AIGE_API_KEYS", " key-1, key-2,, ")
    monkeypatch.setenv("FAL_KEY", "very-secret")
    environment = Environment()
    assert environment.api_keys == {"key-1": "default", "key-2": "default"}
    assert "key-1" not in repr(environment)
    assert "very-secret" not in repr(environment)


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ("mobile:k1 , web:k2", {"k1": "mobile", "k2": "web"}),
        ("mobile:old,mobile:new", {"old": "mobile", "new": "mobile"}),
        ("mobile:k:1", {"k:1": "mobile"}),
        (f"bare,{'n' * 64}:k,A_b-9:l", {"bare": "default", "k": "n" * 64, "l": "A_b-9"}),
        ("default:k1,k2,k2", {"k1": "default", "k2": "default"}),
    ],
)
def test_api_keys_have_names(monkeypatch: pytest.MonkeyPatch, listed: str, named: dict[str, str]) -> None:
    """The first colon ends the name; a bare key's is `default`; several keys may share one."""
    monkeypatch.setenv("AIGE_API_KEYS", listed)
    assert Environment().api_keys == named


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        ("k1, my app:secret", "the name of key 2 must be 1 to 64 letters, digits, '-' or '_'"),
        (":secret", "the name of key 1 must be 1 to 64 letters, digits, '-' or '_'"),
        (f"{'n' * 65}:secret", "the name of key 1 must be 1 to 64 letters, digits, '-' or '_'"),
        ("zwéi:secret", "the name of key 1 must be 1 to 64 letters, digits, '-' or '_'"),
        (" , ", "holds no key"),
        ("mobile: ", "key 1 is a name without a key"),
        ("mobile:secret,web:secret", "key 2 stands there under another name too"),
        ("secret,web:secret", "key 2 stands there under another name too"),
    ],
)
def test_wrong_api_keys_are_one_line_that_shows_none(monkeypatch: pytest.MonkeyPatch, listed: str, fault: str) -> None:
    """It says where the fault is; what stands there may be a secret."""
    monkeypatch.setenv("AIGE_API_KEYS", listed)
    with pytest.raises(SettingsError) as caught:
        Environment()
    assert str(caught.value) == f"AIGE_API_KEYS: {fault}"


@pytest.mark.parametrize(
    ("variables", "key", "ignored"),
    [
        ({"FAL_KEY_ID": "id", "FAL_KEY_SECRET": " secret\n"}, "id:secret", ()),
        ({"FAL_KEY": "whole", "FAL_KEY_ID": "id", "FAL_KEY_SECRET": "secret"}, "whole", ()),
        ({"FAL_KEY_ID": "id"}, None, ("FAL_KEY_ID, for lack of FAL_KEY_SECRET",)),
        ({"FAL_KEY_SECRET": "secret", "FAL_KEY_ID": ""}, None, ("FAL_KEY_SECRET, for lack of FAL_KEY_ID",)),
    ],
)
def test_fals_older_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], key: str | None, ignored: tuple[str, ...]
) -> None:
    """Both count as a key, as fal-client reads them; one alone is told to be ignored."""
    for name in ("FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environment = Environment()
    assert (environment.fal_key.get_secret_value() if environment.fal_key else None) == key
    assert environment.ignored == ignored


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "AIGE_ENGINE",
            "lokal",
            "must be 'auto', 'fal', 'local', 'openai' or the place of a class, 'package.module:Class'",
        ),
        (
            "aige_engine",
            "lokal",
            "must be 'auto', 'fal', 'local', 'openai' or the place of a class, 'package.module:Class'",
        ),
        ("AIGE_PROFILE", "prod", "must be 'laptop' or 'production'"),
        ("AIGE_DATA_DIR", "~no-such-user/var", "names a home folder that this machine does not know"),
    ],
)
def test_a_wrong_variable_is_one_line_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """With its value."""
    monkeypatch.delenv("AIGE_ENGINE", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Environment()
    assert str(caught.value).startswith(f"{name}={value}: {reason}")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("~/aige", Path.home() / "aige"), ("some/where", CONFIG.parent / "some/where"), ("/srv/aige", Path("/srv/aige"))],
)
def test_the_data_folder_is_the_same_wherever_a_process_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: str, meant: Path
) -> None:
    """`~` is the user's home, and a relative path counts from the project's root."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIGE_DATA_DIR", typed)
    assert Environment().aige_data_dir == meant


def whsec(size: int) -> str:
    return f"whsec_{b64encode(bytes(size)).decode()}"


@pytest.mark.parametrize(
    ("listed", "sizes"), [("", []), (f" {whsec(24)} ,{whsec(64)},,", [24, 64]), (whsec(32), [32])], ids=str
)
def test_webhook_secrets_are_a_comma_separated_list(
    monkeypatch: pytest.MonkeyPatch, listed: str, sizes: list[int]
) -> None:
    """White space around commas and empty entries do not count."""
    monkeypatch.setenv("AIGE_WEBHOOK_SECRET", listed)
    assert [len(secret) for secret in Environment().webhook_secrets] == sizes
    assert "whsec" not in repr(Environment())


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (b64encode(bytes(32)).decode(), "secret 1 must be 'whsec_' and then base64"),
        (f"{whsec(32)},whsec_very-secret!", "secret 2 must be 'whsec_' and then base64"),
        ("whsec_", "secret 1 must be of 24 to 64 bytes before it is written in base64"),
        (whsec(23), "secret 1 must be of 24 to 64 bytes before it is written in base64"),
        (whsec(65), "secret 1 must be of 24 to 64 bytes before it is written in base64"),
    ],
)
def test_a_wrong_webhook_secret_stops_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, listed: str, reason: str
) -> None:
    """Which says where the fault is, and never what stands there."""
    monkeypatch.setenv("AIGE_WEBHOOK_SECRET", listed)
    with pytest.raises(SettingsError) as caught:
        Environment()
    assert str(caught.value) == f"AIGE_WEBHOOK_SECRET: {reason}"
