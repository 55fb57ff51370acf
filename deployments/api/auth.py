"""API keys: where some are configured, every request must bring one."""

import hmac
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.problems import of_refusal
from deployments.errors import Unauthorized
from deployments.media.storage.builtin import OBJECTS_PATH


class ApiKeys:
    """ASGI middleware that answers 401 unless the request has `Authorization: Bearer KEY` with one of `keys`.

    The store's URLs carry their own signature, and the web UI's files are public: neither needs a key.
    """

    def __init__(self, app: ASGIApp, keys: Collection[str]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_open(scope["path"]) and not self._knows(Headers(scope=scope)):
            refusal = Unauthorized("Send an API key of this server as 'Authorization: Bearer KEY'.")
            await of_refusal(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        sent = key.strip().encode("latin-1")  # the bytes as they came
        # Every key is compared, each in constant time: the time taken tells nothing about any of them.
        matches = [hmac.compare_digest(sent, key) for key in self._keys]
        return scheme.lower() == "bearer" and any(matches)


def _is_open(path: str) -> bool:
    return path == "/" or path.startswith(("/assets/", OBJECTS_PATH))
