"""Callers as they are set: the names of API keys, what each name may use, and what models cost."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

DEFAULT_CALLER = "default"
"""Who calls where no API keys are set, and the name of a key that is set without one."""

EVERYBODY_ELSE = "*"
"""In place of a name: each caller that is not named."""

CALLER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RULE = "must be 1 to 64 letters, digits, '-' or '_'"


def named_keys(listed: str) -> dict[str, str]:
    """The caller of each key in a list of `NAME:KEY` and `KEY`.

    Raises:
        ValueError: it says where the fault is, and never what stands there: that may be a secret.
    """
    named: dict[str, str] = {}
    for place, entry in enumerate((entry.strip() for entry in listed.split(",")), 1):
        if not entry:
            continue
        name, colon, key = entry.partition(":")
        name, key = (name, key.strip()) if colon else (DEFAULT_CALLER, entry)
        if not CALLER_NAME.fullmatch(name):
            raise ValueError(f"the name of key {place} {_RULE}")
        if not key:
            raise ValueError(f"key {place} is a name without a key")
        if named.setdefault(key, name) != name:
            raise ValueError(f"key {place} stands there under another name too")
    if listed and not named:  # else a template that was not filled in would let everybody in
        raise ValueError("holds no key")
    return named


def _name(value: str) -> str:
    if value != EVERYBODY_ELSE and not CALLER_NAME.fullmatch(value):
        raise ValueError(f"a caller's name {_RULE}, or '{EVERYBODY_ELSE}' for all that are not named")
    return value


def _number(value: object) -> object:
    """Only what YAML writes as a number; of a float its decimal digits, not the binary fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic expects this class
    return Decimal(str(value))


Money = Annotated[Decimal, BeforeValidator(_number), Field(ge=0)]
Count = Annotated[int, Field(strict=True, ge=0)]


class CallerLimits(BaseModel):
    """What one caller may use; None: no limit of its own. 0 shuts it out.

    `spend_per_day` is money, in the currency of `prices`, within any 24 hours.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks_in_flight: Count | None = None
    tasks_per_minute: Count | None = None
    spend_per_day: Money | None = None

    @property
    def are_none(self) -> bool:
        """Whether there is no limit at all."""
        return self.tasks_in_flight is None and self.tasks_per_minute is None and self.spend_per_day is None


NO_LIMITS = CallerLimits()


CallerName = Annotated[str, AfterValidator(_name)]
LimitsByCaller = dict[CallerName, CallerLimits]
"""`callers` in `serve_config.yaml`."""
Prices = dict[Annotated[str, Field(min_length=1)], Money]
"""What one unit costs that a provider bills, by its model."""
