"""Overload: while the service is full, submissions are refused before their bodies are read."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.problems import of_refusal
from deployments.api.submissions import Submissions
from deployments.errors import Unavailable

CLOSED_SECONDS = 1.0


class Gate:
    """Closed for a second at a time, each time that a submission was refused for want of room."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._closed_until = 0.0
        self.short_of = ""

    def close(self, short_of: str) -> None:
        """`short_of` is what is missing; see `Unavailable`."""
        self._closed_until = self._monotonic() + CLOSED_SECONDS
        self.short_of = short_of

    @property
    def is_closed(self) -> bool:
        return self._monotonic() < self._closed_until


class RefuseAtGate:
    """ASGI middleware that answers 503 to submissions (below `base`) while the gate is closed."""

    def __init__(self, app: ASGIApp, gate: Gate, base: str) -> None:
        self._app = app
        self._gate = gate
        self._submissions = Submissions(base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gate.is_closed and self._submissions.operation_of(scope) is not None:
            detail = "The service takes no new tasks at this moment; try again in a few seconds."
            await of_refusal(Unavailable(detail, 2, self._gate.short_of))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
