"""API keys: where some are configured, every request must bring one. Each belongs to a name: the caller."""

import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.problems import of_refusal
from deployments.caller_settings import DEFAULT_CALLER
from deployments.errors import Unauthorized
from deployments.media.storage.builtin import OBJECTS_PATH

_CALLER = "aige.caller"
"""The caller's name in a request's scope."""


class ApiKeys:
    """ASGI middleware that answers 401 unless the request has `Authorization: Bearer KEY` with one of `keys`.

    `keys` are the callers' names by their keys. The store's URLs carry their own signature, and the web UI's files, the
    API's description and the health checks are public: they need no key.
    """

    def __init__(self, app: ASGIApp, keys: Mapping[str, str]) -> None:
        self._app = app
        self._keys = [(key.encode(), name) for key, name in keys.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
        elif caller := self._name_of(scope):
            scope[_CALLER] = caller
            await self._app(scope, receive, send)
        else:
            refusal = Unauthorized("Send an API key of this server as 'Authorization: Bearer KEY'.")
            await of_refusal(refusal)(scope, receive, send)

    def _name_of(self, scope: Scope) -> str | None:
        """The caller's name; None where it sends no right key."""
        credentials: bytes = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, sent = credentials.partition(b" ")
        sent = sent.strip(b" \t")
        # Every key is compared, each in constant time: the time taken tells nothing about any of them.
        names = [name for key, name in self._keys if hmac.compare_digest(sent, key)]
        return names[0] if names and scheme.lower() == b"bearer" else None


def caller_of(scope: Scope) -> str:
    """Who sent the request: the name of its API key."""
    name: str = scope.get(_CALLER, DEFAULT_CALLER)
    return name


async def _caller(request: Request) -> str:
    return caller_of(request.scope)


Caller = Annotated[str, Depends(_caller)]
"""A route's argument: who sent the request."""

_OPEN = frozenset({"/", "/docs", "/openapi.json", "/healthz", "/readyz"})


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(("/assets/", OBJECTS_PATH))
