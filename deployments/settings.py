"""What can be set: `Settings` from `serve_config.yaml`, `Environment` from environment variables (all that is secret).

Both refuse what they do not know, with one line that names the setting.
"""

import re
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deployments.errors import SettingsError

VERSION = version("aige")

_ENGINE = re.compile(r"auto|fal|local|[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _engine(value: str) -> str:
    if not _ENGINE.fullmatch(value):
        raise ValueError("is 'auto', 'fal', 'local' or the place of a class, 'package.module:Class'")
    return value


def _origin(value: str) -> str:
    if not re.fullmatch(r"\*|https?://[^/\s]+", value):
        raise ValueError("is an origin such as 'https://app.example', with no path")
    return value


def _base_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", value):
        raise ValueError("is an http(s) URL such as 'https://aige.example'")
    return value.rstrip("/")


def _journal(value: str) -> str:
    if not re.fullmatch(r"sqlite|memory|rediss?://\S+", value):
        raise ValueError("is 'sqlite', 'memory' or the URL of a Redis server, 'redis://host:port/0'")
    return value


EngineName = Annotated[str, AfterValidator(_engine)]
Origin = Annotated[str, AfterValidator(_origin)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
JournalPlace = Annotated[str, AfterValidator(_journal)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """What a caller may ask for; shown by `GET /service`."""

    body_bytes: int = Field(default=32_000_000, gt=0)
    picture_bytes: int = Field(default=20_000_000, gt=0)
    picture_pixels: int = Field(default=40_000_000, gt=0)
    source_images: int = Field(default=8, ge=1, le=8)
    tasks_in_flight: int = Field(default=10_000, gt=0)
    redirects: int = Field(default=3, ge=0, le=10)


class Deadlines(_Strict):
    """How long things may take, in seconds."""

    stage_s: float = Field(default=300, gt=0)
    task_s: float = Field(default=900, gt=0)
    fetch_s: float = Field(default=30, gt=0)
    unknown_submit_s: float = Field(default=10, ge=0)
    actor_s: float = Field(default=20, ge=5)


class Retention(_Strict):
    """How long and how many finished tasks can be asked about."""

    hours: float = Field(default=24, gt=0)
    tasks: int = Field(default=100_000, gt=0)


class S3(_Strict):
    """The bucket behind `storage: s3`; its credentials come from `AWS_*`."""

    bucket: str = Field(min_length=3)
    endpoint_url: BaseUrl | None = None
    region: str = "us-east-1"


class Settings(_Strict):
    """The builder's arguments: `args` in `serve_config.yaml`. Wrong ones raise `SettingsError`, whoever passes them."""

    engine: EngineName = "auto"
    engine_options: dict[str, object] = {}
    cors_origins: tuple[Origin, ...] = ("http://localhost:5173", "http://127.0.0.1:5173")
    public_url: BaseUrl | None = None
    storage: Literal["builtin", "s3"] = "builtin"
    s3: S3 | None = None
    journal: JournalPlace = "sqlite"
    attempts: int = Field(default=5, ge=1, le=100)
    on_unknown_submit: Literal["fail", "retry"] = "fail"
    limits: Limits = Limits()
    deadlines: Deadlines = Deadlines()
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _s3_is_whole(self) -> Self:
        if (self.storage == "s3") != (self.s3 is not None):
            raise ValueError("`storage: s3` and the section `s3` (with its bucket) belong together")
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return _or_settings_error(values, validate)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The settings in a Serve config file of one application, as Ray Serve will read them."""
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
            values = config["applications"][0].get("args") or {}
        except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
            raise SettingsError(f"{path} is not a Serve config file with one application: {error}") from None
        return cls.model_validate(values)


class Profile(StrEnum):
    """What a run is tuned for: a small machine, all on 127.0.0.1; or throughput, in a network of its own."""

    LAPTOP = "laptop"
    PRODUCTION = "production"


class Environment(BaseSettings):
    """The environment variables that this project reads; wrong ones raise `SettingsError`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    fal_key: SecretStr | None = None
    aige_engine: EngineName | None = None
    aige_api_keys: Annotated[SecretStr | None, NoDecode] = None
    aige_storage_secret: SecretStr | None = None
    aige_allow_hosts: str = ""
    aige_data_dir: Path = Path(__file__).parents[1] / "var"
    aige_profile: Profile = Profile.LAPTOP

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return _or_settings_error(values, validate)

    @property
    def api_keys(self) -> frozenset[str]:
        """The keys that may be sent; none means that everybody may call."""
        listed = self.aige_api_keys.get_secret_value() if self.aige_api_keys else ""
        return frozenset(key.strip() for key in listed.split(",") if key.strip())

    def engine(self, settings: Settings) -> str:
        """The engine to use: `AIGE_ENGINE`, else the setting; `auto` means fal where its key is set, else local."""
        chosen = self.aige_engine or settings.engine
        if chosen == "auto":
            return "fal" if self.fal_key else "local"
        return chosen


M = TypeVar("M", bound=BaseModel)


def _or_settings_error(values: object, validate: ModelWrapValidatorHandler[M]) -> M:
    """The validated model, or `SettingsError` with a line on the first thing wrong; never its value: it may be secret.

    Pydantic's own error has many lines, and Ray shows whatever is raised.
    """
    try:
        return validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    unknown = "there is no such setting"
    reason = unknown if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    raise SettingsError(f"{place}: {reason}" if place else reason)
