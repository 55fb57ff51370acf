"""Limits of callers: who has used up its own is refused before its body is read.

The orchestrator decides; it is asked only about callers with a limit. It decides once more when it accepts the task:
other requests of the same caller may have come in between.
"""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.auth import caller_of
from deployments.api.backend import Backend
from deployments.api.idempotency import scoped, unquoted
from deployments.api.problems import of_refusal
from deployments.api.submissions import Submissions
from deployments.caller_settings import CallerLimits
from deployments.errors import Rate, RequestRefused

_RATE = "aige.rate"
"""Where the caller stood when its request came, in the request's scope."""


class LimitCallers:
    """ASGI middleware that answers 429 to submissions (below `base`) of callers that may start no more tasks."""

    def __init__(self, app: ASGIApp, backend: Backend, base: str, limits_of: Callable[[str], CallerLimits]) -> None:
        self._app = app
        self._backend = backend
        self._limits_of = limits_of
        self._submissions = Submissions(base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_limited(scope):
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        key = Headers(scope=scope).get("idempotency-key")
        try:
            rate = await self._backend.check_caller(caller, None if key is None else scoped(unquoted(key), caller))
        except RequestRefused as refusal:
            await of_refusal(refusal)(scope, receive, send)
        else:
            scope[_RATE] = rate
            await self._app(scope, receive, send)

    def _is_limited(self, scope: Scope) -> bool:
        return self._submissions.operation_of(scope) is not None and not self._limits_of(caller_of(scope)).are_none


def rate_before(scope: Scope) -> Rate | None:
    """Where the caller stood when its request came; None where it has no such limit."""
    rate: Rate | None = scope.get(_RATE)
    return rate
