"""The Idempotency-Key header: a request that is repeated with the same key gives the same task."""

import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from deployments.tasks.entry import Binding

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern="^[ -~]+$",
        description="Repeat it with the same request within 24 hours to get the same task.",
    ),
]
Authorization = Annotated[str | None, Header(include_in_schema=False)]


def binding_of(key: str | None, route: str, authorization: str | None, body: BaseModel) -> Binding | None:
    """The key, in the scope of its route and its caller's API key, and a digest of the request as parsed."""
    if key is None:
        return None
    # A digest, since the journal must not hold API keys.
    scope = hashlib.sha256(f"{route}\n{authorization}\n{key}".encode()).hexdigest()
    return Binding(scope, hashlib.sha256(body.model_dump_json().encode()).hexdigest())
