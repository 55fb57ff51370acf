"""A short cut for the most frequent request of all: `GET /task/{id}/status`.

FastAPI's way to its route and back (routers, dependencies, response model) costs more than the answer itself. Every
other request goes that way; so does this request's documentation.
"""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.answers import StatusResponse
from deployments.api.auth import caller_of
from deployments.api.backend import Backend
from deployments.api.problems import of_refusal
from deployments.api.task_routes import TASK_ID
from deployments.errors import RequestRefused, no_such_task


class StatusShortcut:
    """ASGI middleware that answers as the route below `base` would."""

    def __init__(self, app: ASGIApp, backend: Backend, base: str) -> None:
        self._app = app
        self._backend = backend
        self._path = re.compile(f"{re.escape(base)}/task/({TASK_ID})/status")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        if (asked := self._path.fullmatch(scope["path"])) is None:
            return None
        try:
            task = await self._backend.get(asked[1].lower())
        except RequestRefused as refusal:
            return of_refusal(refusal)
        if task is None or task.caller != caller_of(scope):
            return of_refusal(no_such_task())
        body = StatusResponse(aige_task_id=task.id, status=task.status).model_dump_json()
        return Response(body, media_type="application/json")
