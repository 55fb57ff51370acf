"""A line to the API, on which things go wrong as a test wants; and a clock that only sleeping moves."""

import asyncio
from collections.abc import Callable

import httpx
from starlette.types import ASGIApp

Trouble = Callable[[httpx.Request], httpx.Response | None]
"""What comes instead of the API's answer; None loses the answer on its way back. It may raise, too."""


class Line(httpx.AsyncBaseTransport):
    """`troubles` come first, one for each request; `asked` keeps what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._api = httpx.ASGITransport(app)
        self.troubles: list[Trouble] = []
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if not self.troubles:
            return await self._api.handle_async_request(request)
        if (answer := self.troubles.pop(0)(request)) is not None:
            return answer
        await self._api.handle_async_request(request)
        raise httpx.ReadError("the connection broke", request=request)

    def paths(self, method: str) -> list[str]:
        return [request.url.path for request in self.asked if request.method == method]


def refuses(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def loses_the_answer(_: httpx.Request) -> None:
    return None


def answers(status: int, body: str = "", **headers: str) -> Trouble:
    """A stranger's answer, by default without a type."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body, headers=named, request=request)

    return answer


def problem(status: int, **headers: str) -> Trouble:
    """AIGE's own."""
    body = f'{{"title": "t", "status": {status}, "detail": "In words."}}'
    return answers(status, body, content_type="application/problem+json", **headers)


class Clock:
    """Its time goes by only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
