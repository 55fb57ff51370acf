"""The span of a request that starts a task; installed only where traces are on."""

from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.submissions import Submissions
from deployments.spans import Span, SpanContext, SpanKind, Tracer, new_id, submission
from deployments.tasks.record import now

FAILED = 500


class TraceSubmissions:
    """ASGI middleware that traces submissions (below `base`). The backend finds the span in `submission`."""

    def __init__(self, app: ASGIApp, tracer: Tracer, base: str, clock: Callable[[], datetime] = now) -> None:
        self._app = app
        self._tracer = tracer
        self._submissions = Submissions(base)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._submissions.operation_of(scope)
        if operation is None:
            await self._app(scope, receive, send)
            return
        name = f"accept {operation}"
        parent = SpanContext.parse(Headers(scope=scope).get("traceparent", ""))
        context = parent.child() if parent else SpanContext(new_id(128), new_id())
        if not self._tracer.samples(context.trace_id, parent, name):
            await self._app(scope, receive, send)
            return
        start, status = self._clock(), FAILED

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = submission.set(context._replace(sampled=True))
        try:
            await self._app(scope, receive, watched_send)
        finally:
            submission.reset(token)
            attributes = {"http.request.method": scope["method"], "http.response.status_code": status}
            error = str(status) if status >= FAILED else None
            self._tracer.record(Span(name, context, parent, start, self._clock(), attributes, SpanKind.SERVER, error))
