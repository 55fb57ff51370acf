"""What `make run` is asked for: taken, or refused with one line that names it as it was typed."""

import socket
from pathlib import Path

import pytest
import yaml

from deployments.errors import SettingsError
from deployments.settings import Profile
from scripts.options import RunOptions, parse_options
from tests.running import ROOT

SHIPPED = ROOT / "serve_config.yaml"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the developer's own environment says."""
    for name in ("AIGE_ENGINE", "AIGE_PROFILE", "AIGE_ALLOW_HOSTS", "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIGE_DATA_DIR", str(tmp_path / "var"))


def with_http(folder: Path, options: object) -> list[str]:
    """The arguments for a config file with these `http_options`."""
    path = folder / "serve_config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(SHIPPED.read_text()) | {"http_options": options}))
    return ["--config", str(path)]


def refused(arguments: list[str]) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_options(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_config_file_is_the_default() -> None:
    """As it is shipped."""
    run = parse_options([])
    assert (run.config, run.url, run.profile) == (SHIPPED, "http://127.0.0.1:8000", Profile.LAPTOP)
    assert run.ignored == ()


def test_options_come_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And before the environment."""
    monkeypatch.setenv("AIGE_PROFILE", "production")
    assert parse_options([]).profile is Profile.PRODUCTION
    run = parse_options(["--port", "8123", "--profile", "laptop"])
    assert (run.port, run.profile) == (8123, Profile.LAPTOP)


def test_port_0_is_any_that_is_free(tmp_path: Path) -> None:
    """From the command line or in the config file."""
    for arguments in (["--port", "0"], with_http(tmp_path, {"host": "127.0.0.1", "port": 0})):
        run = parse_options(arguments)
        assert run.port not in (0, 8000)
        socket.create_server((run.host, run.port)).close()


@pytest.mark.parametrize("port", ["-1", "80000", "99999999999", "8_000", "80.5", "http", "", "8000 9"])
def test_a_port_that_is_none(port: str) -> None:
    """Named as it was typed, on either command line."""
    wanted = "must be a number from 0 to 65535; 0 takes any port that is free"
    assert refused(["--port", port]) == f"--port {port} (with make: PORT={port}): {wanted}"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"port": "8000"}, "http_options.port: must be a valid integer; it is '8000'"),
        ({"port": -1}, "http_options.port: must be greater than or equal to 0; it is -1"),
        ({"port": True}, "http_options.port: must be a valid integer; it is True"),
        ({"port": None}, "http_options.port: must be a valid integer; it is None"),
        ({"host": 127}, "http_options.host: must be a valid string; it is 127"),
        ({"host": "192.0.2.1"}, "http_options.host: 192.0.2.1 is no address of this machine"),
        ([8000], "http_options: must be a valid dictionary"),
        (8000, "http_options: must be a valid dictionary"),
    ],
)
def test_http_options_of_a_wrong_type(tmp_path: Path, options: object, line: str) -> None:
    """Those that we need ourselves; the rest is Serve's to judge."""
    assert refused(with_http(tmp_path, options)).startswith(line)


def test_http_options_may_be_missing(tmp_path: Path) -> None:
    """Then they are Serve's own."""
    run = parse_options(with_http(tmp_path, None))
    assert (run.host, run.port) == ("0.0.0.0", 8000)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--profile", "prod"], "--profile prod (with make: PROFILE=prod): must be 'laptop' or 'production'"),
        (["--prot", "8000"], "unrecognized arguments: --prot 8000"),
        (["--config", "/no/such.yaml"], "/no/such.yaml cannot be read: No such file or directory"),
    ],
)
def test_other_options(arguments: list[str], line: str) -> None:
    """One line too, without the usage of all options."""
    assert refused(arguments) == line


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("AIGE_ENGINE", "lokal", "AIGE_ENGINE=lokal: must be 'auto'"),
        ("AIGE_ENGINE", "no.such:Engine", "engine: there is no engine 'no.such:Engine'"),
        ("AIGE_ALLOW_HOSTS", "localhost", "AIGE_ALLOW_HOSTS holds 'localhost', which is not of the form host:port"),
        ("AIGE_ENGINE", "fal", "FAL_KEY: the fal engine needs a key"),
        ("AIGE_API_KEY", "secret", "AIGE_API_KEY: there is no such variable; AIGE_API_KEYS is one"),
        ("aige_engin", "local", "aige_engin: there is no such variable; AIGE_ENGINE is one"),
    ],
)
def test_variables(monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str) -> None:
    """Before anything is started."""
    monkeypatch.setenv(name, value)
    assert refused([]).startswith(line)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"AIGE_C2PA_CERT": "missing.pem"}, "AIGE_C2PA_CERT and AIGE_C2PA_KEY belong together: set both, or neither"),
        (
            {"AIGE_C2PA_CERT": "README.md", "AIGE_C2PA_KEY": "README.md"},
            f"AIGE_C2PA_CERT: {ROOT / 'README.md'} holds no certificate in PEM",
        ),
        ({"AIGE_C2PA_TRUST": "README.md"}, f"AIGE_C2PA_TRUST: {ROOT / 'README.md'} holds no certificates in PEM"),
    ],
)
def test_a_certificate_that_is_none(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], line: str) -> None:
    """The start stops before a cluster is started; a relative path counts from the checkout."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert refused([]) == line


def test_a_broken_certificate_of_aige_s_own(tmp_path: Path) -> None:
    """It stops the start too."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var/c2pa.pem").write_text("nonsense")
    assert refused([]).endswith("var/c2pa.pem holds no certificate with its key: delete it, and another one is made")


@pytest.mark.parametrize("name", ["AIGE_URL", "AIGE_KEY", "AIGE_RUN", "AIGE_DIR", "AIGE_JOURNAL_PORT"])
def test_variables_of_others(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is not much like one of ours may be anything: Kubernetes names the port of a Service `aige-journal` so."""
    monkeypatch.setenv(name, "x")
    parse_options([])


def test_a_proxy_matters_to_engines_that_go_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local engine asks nobody."""
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example")
    parse_options([])
    monkeypatch.setenv("FAL_KEY", "key")
    assert refused([]).startswith("ALL_PROXY: a SOCKS proxy needs a package")


def test_half_a_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service starts without it."""
    monkeypatch.setenv("FAL_KEY_ID", "id")
    assert parse_options([]).ignored == ("FAL_KEY_ID, for lack of FAL_KEY_SECRET",)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("aige.example", "http://aige.example:8000"),
    ],
)
def test_where_a_client_on_this_machine_finds_it(host: str, url: str) -> None:
    """An address that can be opened."""
    assert RunOptions(SHIPPED, host, 8000, Path("/srv/var"), Profile.LAPTOP).url == url
