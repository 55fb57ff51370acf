"""CORS: which web pages may call, and read what is answered."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from deployments.api.idempotency import REPLAYED
from deployments.api.problems import RATE_LIMIT, RATE_LIMIT_POLICY, problem


class Cors(CORSMiddleware):
    """Lets pages of `origins` call, also into a private network, with whatever headers their libraries add."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=["Retry-After", RATE_LIMIT, RATE_LIMIT_POLICY, REPLAYED, "Link", "X-Request-ID"],
            max_age=600,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Starlette's answer; a refusal as a problem document."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        why = bytes(answer.body).decode()  # such as "Disallowed CORS origin, method"
        headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return problem(
            answer.status_code, f"This server does not take such calls from web pages: {why}.", headers=headers
        )
