"""Paths that end in a newline lead nowhere: the `$` of Starlette's patterns would let them pass as paths without it."""

from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.problems import of_refusal
from deployments.errors import NotFound


class WholePaths:
    """ASGI middleware that answers 404 to a path that ends in a newline."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut_off = scope["type"] == "http" and scope["path"].endswith("\n")
        await (of_refusal(NotFound("There is nothing at this path.")) if cut_off else self._app)(scope, receive, send)
