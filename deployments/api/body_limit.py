"""The limit on the size of a body, with or without a Content-Length.

Not FastAPI's `max_body_size`, whose answer is plain text: ours is a problem document like all others.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.problems import of_refusal
from deployments.errors import BodyTooLarge


class BodyLimit:
    """ASGI middleware that answers 413 to a body of more than `max_bytes`, before or while it is read."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._refusal = BodyTooLarge(f"The body is larger than the {max_bytes:,} bytes that this server takes.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._announces_too_much(Headers(scope=scope)):
            await of_refusal(self._refusal)(scope, receive, send)
            return
        seen = 0

        async def counted_receive() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                # This class, since FastAPI turns whatever else comes up while it reads a body into a 400.
                raise HTTPException(413, str(self._refusal))
            return message

        await self._app(scope, counted_receive, send)

    def _announces_too_much(self, headers: Headers) -> bool:
        announced = headers.get("content-length", "")
        return announced.isdecimal() and int(announced[:20]) > self._max_bytes
