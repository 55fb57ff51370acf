"""The Idempotency-Key header: a request that is repeated with the same key gives the same task."""

import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel, BeforeValidator, Field

from deployments.caller_settings import DEFAULT_CALLER
from deployments.tasks.entry import Binding

REPLAYED = "Idempotent-Replayed"
"""The header, always `true`, of an answer with a task that an earlier request has started."""


def unquoted(value: str) -> str:
    """The key in double quotes, which the IETF's draft puts around it; without them, the key is the whole value."""
    is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if is_quoted else value


_Key = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern="^[ -~]+$", json_schema_extra={"pattern": '^(?!""$)[ -~]+$'}),
    BeforeValidator(lambda value: unquoted(value) if isinstance(value, str) else value),
]
IdempotencyKey = Annotated[
    _Key | None,
    Header(
        alias="Idempotency-Key",
        description="Repeat it with the same request to get the same task, for as long as the service keeps the task "
        "(by default, 24 hours after its end). Double quotes around it are not part of it.",
    ),
]


def binding_of(key: str | None, route: str, caller: str, body: BaseModel) -> Binding | None:
    """The key, in the scope of its caller's name, and a digest of the request as parsed: its route and its body."""
    if key is None:
        return None
    return Binding(
        scoped(key, caller), hashlib.sha256(f"{route}\n{body.model_dump_json(exclude_none=True)}".encode()).hexdigest()
    )


def scoped(key: str, caller: str) -> str:
    """A digest of a key and of its caller's name: equal keys of two callers are two."""
    # Version 0.1.0, which knew no names, wrote `None` where no API keys were set: its keys find their tasks.
    scope = "None" if caller == DEFAULT_CALLER else f"caller {caller}"
    return hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest()
