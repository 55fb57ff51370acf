"""Errors become problem documents (RFC 9457) here, and nowhere else."""

import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.answers import FieldError, Problem
from deployments.api.openapi import PROBLEM_TYPE
from deployments.errors import (
    BudgetUsedUp,
    InvalidRequest,
    LimitReached,
    QuotaExceeded,
    Rate,
    RequestRefused,
    Unavailable,
)

logger = logging.getLogger(__name__)

RATE_LIMIT = "RateLimit"
RATE_LIMIT_POLICY = "RateLimit-Policy"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


REASON = "aige.refusal"
"""Where the ASGI scope of a request that is refused says why."""


class _ProblemResponse(JSONResponse):
    """Says in the scope why the request is refused, so that refusals can be counted."""

    media_type = PROBLEM_TYPE
    reason = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[REASON] = self.reason
        await super().__call__(scope, receive, send)


class About(NamedTuple):
    """What a problem is about, where its status does not say it all.

    `reason` is a word or two for metrics; `type` is a URI.
    """

    reason: str
    type: str = "about:blank"
    title: str = ""


_TYPES: dict[type[RequestRefused], tuple[str, str]] = {
    QuotaExceeded: ("https://iana.org/assignments/http-problem-types#quota-exceeded", "Quota Exceeded"),
    BudgetUsedUp: ("/docs#budget-exceeded", "Budget Exceeded"),
}
"""Refusals with a type of their own, and its title."""


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
    about: About | None = None,
) -> Response:
    """The problem document as a response."""
    about = about or About(HTTPStatus(status).name.lower())
    title = about.title or HTTPStatus(status).phrase
    body = Problem(type=about.type, title=title, status=status, detail=detail, errors=list(errors) or None)
    response = _ProblemResponse(body.model_dump(mode="json", exclude_none=True), status, headers)
    response.reason = about.reason
    return response


def of_refusal(error: RequestRefused) -> Response:
    """The answer to a refused request."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable | LimitReached) else {}
    if isinstance(error, LimitReached):
        headers |= rate_fields(error.rate)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer"}
    errors = []
    if isinstance(error, InvalidRequest) and error.field:
        errors = [FieldError(loc=list(error.field), msg=str(error), type="value_error")]
    return problem(error.status, str(error), errors, headers, About(error.reason, *_TYPES.get(type(error), ())))


def rate_fields(rate: Rate | None) -> dict[str, str]:
    """The header fields that tell a caller where it stands within the minute (draft-ietf-httpapi-ratelimit-headers)."""
    if rate is None:
        return {}
    policy, limit = f'"tasks";q={rate.quota};w=60', f'"tasks";r={rate.left};t={rate.seconds}'
    return {RATE_LIMIT_POLICY: policy, RATE_LIMIT: limit}


def install(app: FastAPI) -> None:
    """Makes `app` answer all errors with problem documents, also those that nobody foresaw."""
    app.add_middleware(LastResort)  # here too: else Starlette would answer first, in plain text
    app.add_exception_handler(RequestRefused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)  # noqa: S101 - registered for this class
    return of_refusal(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    errors = [
        FieldError(loc=list(e["loc"]), msg=e["msg"].removeprefix("Value error, "), type=e["type"])
        for e in error.errors()
    ]
    place = ".".join(str(part) for part in errors[0].loc[1:]) or "the body"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(
        400, f"The request is not valid: {place}: {errors[0].msg}{more}.", errors, about=About("invalid_request")
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    match error.status_code:
        case 404:
            return problem(404, f"There is nothing at {request.url.path}.")
        case 405:
            allowed = ", ".join(_allowed_methods(request))
            return problem(405, f"This address takes {allowed} only.", headers={"Allow": allowed})
        case _:
            return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _allowed_methods(request: Request) -> list[str]:
    """All methods that are answered at this path; the router itself names only those of the first route that fits."""

    def is_taken(method: str) -> bool:
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}  # see `deployments.api.head`
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)

    return [method for method in _METHODS if is_taken(method)]


class LastResort:
    """ASGI middleware that turns an unforeseen exception into a 500 without a word about its cause, and logs it.

    `on_refusal` is called with the reason of each request that was refused, or broke.
    """

    def __init__(self, app: ASGIApp, on_refusal: Callable[[str], None] = lambda _: None) -> None:
        self._app = app
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if started or scope["type"] != "http":
                raise
            logger.exception("A request broke.")
            detail = "Something broke on our side; try again, and report the time if it happens again."
            await problem(500, detail)(scope, receive, send)
        if REASON in scope:
            self._on_refusal(scope[REASON])
