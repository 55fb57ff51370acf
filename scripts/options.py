"""What `make run` was asked for: its options, the config file and the environment, all of it checked."""

import argparse
import re
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

from pydantic import BaseModel, Field, StrictInt, StrictStr, ValidationError

from deployments.config_file import first_fault, read_config
from deployments.engines.loading import chosen_engines
from deployments.errors import SettingsError
from deployments.media.destinations import parse_allow_hosts
from deployments.media.provenance.opening import check_provenance
from deployments.settings import SHIPPED_CONFIG, Environment, Profile, Settings, check_spelling
from scripts import cluster, ports
from scripts.proxies import check_proxies


class RunOptions(NamedTuple):
    """What runs where; `ignored` are variables that are set in vain."""

    config: Path
    host: str
    port: int
    data: Path
    profile: Profile
    ignored: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where a client on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def logs(self) -> Path:
        return cluster.ray_dir(self.data) / "session_latest" / "logs"


class _HttpOptions(BaseModel):
    """What we need of Serve's `http_options`, with its defaults; Serve judges the rest."""

    host: Annotated[StrictStr, Field(min_length=1)] = "0.0.0.0"  # noqa: S104 - Serve's own
    port: Annotated[StrictInt, Field(ge=0, le=ports.HIGHEST)] = 8000


class _ConfigFile(BaseModel):
    http_options: _HttpOptions | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def parse_options(arguments: list[str]) -> RunOptions:
    """What is asked for.

    Raises:
        SettingsError: an option, a setting or a variable is wrong.
    """
    parser = _Parser(prog="aige", description="Starts AIGE and runs until stopped.")
    parser.add_argument("--config", type=Path, default=SHIPPED_CONFIG, help="the Serve config file")
    parser.add_argument("--port", help="another port than the config file's; 0 takes any that is free")
    parser.add_argument("--profile", help=f"{_either(Profile)}; by default AIGE_PROFILE, or laptop")
    options = parser.parse_args(arguments)
    check_spelling()
    environment = Environment()
    settings = Settings.load(options.config)
    engines = chosen_engines(settings, environment)
    parse_allow_hosts(environment.aige_allow_hosts)
    check_provenance(settings, environment)
    if engines.names != {"local"}:  # which asks nobody
        check_proxies()
    http = _http_options(options.config)
    any_port = _any_port(http.host)
    port = http.port if options.port is None else _port(options.port)
    return RunOptions(
        config=options.config.resolve(),
        host=http.host,
        port=port or any_port,
        data=cluster.data_dir(),
        profile=environment.aige_profile if options.profile is None else _profile(options.profile),
        ignored=environment.ignored,
    )


def _port(typed: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", typed) and int(typed) <= ports.HIGHEST:
        return int(typed)
    wanted = f"must be a number from 0 to {ports.HIGHEST}; 0 takes any port that is free"
    raise SettingsError(f"--port {typed} (with make: PORT={typed}): {wanted}")


def _profile(typed: str) -> Profile:
    try:
        return Profile(typed)
    except ValueError:
        wanted = f"must be {_either(Profile)}"
        raise SettingsError(f"--profile {typed} (with make: PROFILE={typed}): {wanted}") from None


def _either(choices: type[Profile]) -> str:
    return " or ".join(repr(str(choice)) for choice in choices)


def _http_options(config: Path) -> _HttpOptions:
    try:
        return _ConfigFile.model_validate(read_config(config)).http_options or _HttpOptions()
    except ValidationError as error:
        raise SettingsError(first_fault(error)) from None


def _any_port(host: str) -> int:
    try:
        return ports.try_port(host, 0)
    except OSError as error:
        raise SettingsError(f"http_options.host: {host} is no address of this machine ({error.strerror})") from None
