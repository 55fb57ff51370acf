"""What can be set: `Settings` from `serve_config.yaml`, `Environment` from environment variables (all that is secret).

What is wrong is refused with one line that names the setting, or the variable as it was typed, and its value (but for
secrets).
"""

import difflib
import os
import re
from base64 import b64decode
from collections import Counter
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deployments.caller_settings import (
    CALLER_NAME,
    EVERYBODY_ELSE,
    NO_LIMITS,
    CallerLimits,
    LimitsByCaller,
    Prices,
    named_keys,
)
from deployments.config_file import first_fault, read_config, reason_of
from deployments.errors import SettingsError

VERSION = version("aige")

SHIPPED_CONFIG = Path(__file__).with_name("serve_config.yaml").resolve()  # in a checkout, that is a link

_ABOVE = Path(__file__).resolve().parents[1]
IN_CHECKOUT = (_ABOVE / "pyproject.toml").is_file()
ROOT = _ABOVE if IN_CHECKOUT else Path.cwd()
"""What a relative data folder counts from: the checkout or, where AIGE is installed, the working directory."""

_WHSEC = "whsec_"

_ENGINE = re.compile(r"auto|fal|local|openai|[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _engine(value: str) -> str:
    if not _ENGINE.fullmatch(value):
        raise ValueError("must be 'auto', 'fal', 'local', 'openai' or the place of a class, 'package.module:Class'")
    return value


def _switch(value: object) -> object:
    switches = {"on": True, "off": False, True: True, False: False}
    if not isinstance(value, str | bool) or value not in switches:
        raise ValueError("must be on or off")
    return switches[value]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"names {twice[0]!r} twice")
    return names


def _nobody(value: object) -> object:
    return () if value == "none" else _listed(value)


def _origin(value: str) -> str:
    if not re.fullmatch(r"\*|https?://[^/\s]+", value):
        raise ValueError("must be an origin such as 'https://app.example', with no path")
    return value


def _base_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", value):
        raise ValueError("must be an http(s) URL such as 'https://aige.example'")
    if not value.isascii():  # it stands in a header
        raise ValueError("must be in ASCII: write the host in its xn-- form, and a path with percent signs")
    return value.rstrip("/")


def _journal(value: str) -> str:
    if re.fullmatch(r"\w+(\+\w+)?://([^/\s]*@\S*|\S*[?&]password=\S*)", value):
        raise ValueError("must not hold a name or a password: set AIGE_JOURNAL_URL to the URL, and this to 'redis'")
    if not re.fullmatch(r"sqlite|redis|postgresql|memory|rediss?://\S+", value):
        raise ValueError("must be 'sqlite', 'redis', 'postgresql' or 'memory'; AIGE_JOURNAL_URL says where a server is")
    return value


_JOURNAL_URLS = {"redis": r"rediss?(\+sentinel)?://\S+|unix://\S+", "postgresql": r"postgres(ql)?://\S+"}


def _journal_url(value: SecretStr | None) -> SecretStr | None:
    if value and not any(re.fullmatch(form, value.get_secret_value()) for form in _JOURNAL_URLS.values()):
        raise ValueError("must be a URL such as 'redis://host:port/0' or 'postgresql://user:password@host/database'")
    return value


def webhook_secrets(listed: str) -> tuple[bytes, ...]:
    """The keys in a list of `whsec_…`. Says where a fault is, and never what stands there."""
    entries = [entry.strip() for entry in listed.split(",") if entry.strip()]
    return tuple(_webhook_secret(entry, place) for place, entry in enumerate(entries, 1))


def _webhook_secret(entry: str, place: int) -> bytes:
    prefix, base64 = entry[: len(_WHSEC)], entry[len(_WHSEC) :]
    try:
        secret = b64decode(base64, validate=True) if prefix == _WHSEC else None
    except ValueError:
        secret = None
    if secret is None:
        raise ValueError(f"secret {place} must be {_WHSEC!r} and then base64")
    if not 24 <= len(secret) <= 64:  # noqa: PLR2004 - as Standard Webhooks has it
        raise ValueError(f"secret {place} must be of 24 to 64 bytes before it is written in base64")
    return secret


def _rooted(value: Path) -> Path:
    try:
        return ROOT / value.expanduser()
    except RuntimeError:
        raise ValueError("names a home folder that this machine does not know: write the whole path") from None


def _caller(value: str) -> str:
    if not CALLER_NAME.fullmatch(value):
        raise ValueError("must be the name of a caller: 1 to 64 letters, digits, '-' or '_'")
    return value


CallerName = Annotated[str, AfterValidator(_caller)]
EngineName = Annotated[str, AfterValidator(_engine)]
EngineList = Annotated[
    tuple[EngineName, ...], Field(min_length=1), BeforeValidator(_listed), AfterValidator(_each_once)
]
BlendList = Annotated[tuple[EngineName, ...], BeforeValidator(_nobody), AfterValidator(_each_once)]
Origin = Annotated[str, AfterValidator(_origin)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
JournalPlace = Annotated[str, AfterValidator(_journal)]
Switch = Annotated[bool, BeforeValidator(_switch)]
RootedPath = Annotated[Path, AfterValidator(_rooted)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """What a caller may ask for; shown by `GET /service`."""

    body_bytes: int = Field(default=32_000_000, gt=0)
    picture_bytes: int = Field(default=20_000_000, gt=0)
    picture_pixels: int = Field(default=40_000_000, gt=0)
    source_images: int = Field(default=8, ge=1, le=8)
    tasks_in_flight: int = Field(default=10_000, gt=0)
    picture_bytes_in_flight: int = Field(default=1_000_000_000, gt=0)
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


class Engines(_Strict):
    """Engines for single verbs: a name, or a list of names that are tried in turn; None means `engine`.

    `blend: none` blends nothing, which is an empty list here.
    """

    portrait: EngineList | None = None
    background: EngineList | None = None
    cut_out: EngineList | None = None
    blend: BlendList | None = None


class Settings(_Strict):
    """The builder's arguments: `args` in `serve_config.yaml`. Wrong ones raise `SettingsError`, whoever passes them."""

    engine: EngineName = "auto"
    engines: Engines | None = None
    engine_options: dict[str, object] = {}
    cors_origins: tuple[Origin, ...] = ("http://localhost:5173", "http://127.0.0.1:5173")
    operators: tuple[CallerName, ...] = ()
    public_url: BaseUrl | None = None
    storage: Literal["builtin", "s3"] = "builtin"
    s3: S3 | None = None
    data_dir_shared: bool = False
    journal: JournalPlace = Field(default="sqlite", repr=False)  # what is refused may hold a password
    attempts: int = Field(default=5, ge=1, le=100)
    provenance: Switch = True
    on_unknown_submit: Literal["fail", "retry"] = "fail"
    limits: Limits = Limits()
    deadlines: Deadlines = Deadlines()
    retention: Retention = Retention()
    callers: LimitsByCaller = {}
    prices: Prices = {}

    def limits_of(self, caller: str) -> CallerLimits:
        """The limits of one caller: its own, else those of all that are not named."""
        return self.callers.get(caller) or self.callers.get(EVERYBODY_ELSE) or NO_LIMITS

    @model_validator(mode="after")
    def _s3_is_whole(self) -> Self:
        if (self.storage == "s3") != (self.s3 is not None):
            raise ValueError("`storage: s3` and the section `s3` (with its bucket) belong together")
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            raise SettingsError(first_fault(error, {n for n, f in cls.model_fields.items() if not f.repr})) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """The settings in a Serve config file of one application, as Ray Serve will read them."""
        match read_config(path).get("applications"):
            case [{"args": dict(values)}, *_]:
                return cls.model_validate(values)
            case [{"args": None}, *_]:
                return cls()
            case [{"args": _}, *_]:
                raise SettingsError("applications.0.args: must be a mapping of settings")
            case [dict(), *_]:
                return cls()
        raise SettingsError(f"{path} is not a Serve config file with one application: see `serve_config.yaml`")


class Profile(StrEnum):
    """What a run is tuned for: a small machine, all on 127.0.0.1; or throughput, in a network of its own."""

    LAPTOP = "laptop"
    PRODUCTION = "production"


class _Variables(BaseSettings):
    """Environment variables; wrong ones raise `SettingsError`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            raise SettingsError(cls._fault_of_a_variable(error)) from None

    @classmethod
    def _fault_of_a_variable(cls, error: ValidationError) -> str:
        first = error.errors(include_url=False)[0]
        reason = reason_of(first["msg"])
        if not first["loc"]:
            return reason
        field = str(first["loc"][0])
        name, value = typed_name(field), str(first["input"])
        if SecretStr in get_args(cls.model_fields[field].annotation):
            return f"{name}: {reason}"
        return f"{name}={value if value.isprintable() else repr(value)}: {reason}"


class DataFolder(_Variables):
    """The one variable that `make stop` needs: the others may be wrong."""

    aige_data_dir: RootedPath = ROOT / "var"


class Environment(DataFolder):
    """All environment variables that this project reads."""

    fal_key: SecretStr | None = None
    fal_key_id: SecretStr | None = None
    fal_key_secret: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    aige_engine: EngineName | None = None
    aige_api_keys: Annotated[SecretStr | None, NoDecode] = None
    aige_storage_secret: SecretStr | None = None
    aige_webhook_secret: Annotated[SecretStr | None, NoDecode] = None
    aige_journal_url: Annotated[SecretStr | None, AfterValidator(_journal_url)] = None
    aige_allow_hosts: str = ""
    aige_c2pa_cert: RootedPath | None = None
    aige_c2pa_key: RootedPath | None = None
    aige_c2pa_trust: RootedPath | None = None
    aige_profile: Profile = Profile.LAPTOP

    @field_validator("aige_api_keys")
    @classmethod
    def _keys_are_named_well(cls, value: SecretStr | None) -> SecretStr | None:
        named_keys(value.get_secret_value() if value else "")
        return value

    @field_validator("aige_webhook_secret")
    @classmethod
    def _webhook_secrets_are_whole(cls, value: SecretStr | None) -> SecretStr | None:
        webhook_secrets(value.get_secret_value() if value else "")
        return value

    @model_validator(mode="before")
    @classmethod
    def _fal_key_in_two_parts(cls, values: dict[str, object]) -> dict[str, object]:
        """As fal-client reads its variables: `FAL_KEY`, else the two older ones."""
        match values:
            case {"fal_key": _}:
                return values
            case {"fal_key_id": str(first), "fal_key_secret": str(second)}:
                return {**values, "fal_key": f"{first.strip()}:{second.strip()}"}
        return values

    @property
    def ignored(self) -> tuple[str, ...]:
        """Variables that are set in vain, each with the reason."""
        older = {"FAL_KEY_ID": self.fal_key_id, "FAL_KEY_SECRET": self.fal_key_secret}
        there = [name for name, value in older.items() if value]
        if len(there) == 1:
            (missing,) = older.keys() - there
            return (f"{there[0]}, for lack of {missing}",)
        return ()

    @property
    def api_keys(self) -> dict[str, str]:
        """The names of callers by the keys that they may send; none means that everybody may call."""
        return named_keys(self.aige_api_keys.get_secret_value() if self.aige_api_keys else "")

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """What signs webhooks; none means that no webhooks are sent."""
        return webhook_secrets(self.aige_webhook_secret.get_secret_value() if self.aige_webhook_secret else "")

    def engine(self, settings: Settings) -> str:
        """The engine to use: `AIGE_ENGINE`, else the setting; `auto` means fal where its key is set, else local.

        Raises:
            SettingsError: both `AIGE_ENGINE` and `engines` are set, so that nobody could tell which one counts.
        """
        if self.aige_engine and settings.engines is not None:
            raise SettingsError(
                f"{typed_name('aige_engine')} cannot be set beside `engines`: unset it, or remove `engines`"
            )
        return self.resolved(self.aige_engine or settings.engine)

    def journal(self, settings: Settings) -> str:
        """Where the journal is: `sqlite`, `memory`, or the URL of a server.

        Raises:
            SettingsError: `journal` and `AIGE_JOURNAL_URL` do not fit together.
        """
        place, name = settings.journal, typed_name("aige_journal_url")
        url = self.aige_journal_url.get_secret_value() if self.aige_journal_url else None
        if place not in _JOURNAL_URLS:
            if url is not None:
                raise SettingsError(f"{name} is set, but `journal` is {place!r}: set that to 'redis' or 'postgresql'")
            return place
        if url is None:
            raise SettingsError(f"`journal: {place}` needs {name}, the URL of the server")
        if not re.fullmatch(_JOURNAL_URLS[place], url):
            raise SettingsError(f"{name} is not the URL of what `journal: {place}` names")
        return url

    def resolved(self, name: str) -> str:
        """The engine that `name` means: `auto` is fal where its key is set, else local."""
        if name == "auto":
            return "fal" if self.fal_key else "local"
        return name


def typed_name(variable: str) -> str:
    """An environment variable's name as the user has typed it: case does not count. In capitals where it is not set."""
    return next((name for name in os.environ if name.lower() == variable.lower()), variable.upper())


def check_spelling() -> None:
    """Refuses a variable that is nearly one of ours: it would be set in vain, and may be meant to hold the API keys.

    Raises:
        SettingsError: names it, and the right one.
    """
    known = [name.upper() for name in Environment.model_fields]
    unknown = [name for name in os.environ if name.upper().startswith("AIGE_") and name.upper() not in known]
    for name in unknown:
        if meant := difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85):
            raise SettingsError(f"{name}: there is no such variable; {meant[0]} is one")
