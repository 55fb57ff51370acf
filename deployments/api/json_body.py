"""Bodies of JSON: what FastAPI would read more loosely, or refuse in fewer words."""

import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from deployments.errors import InvalidRequest

MEDIA_TYPE = "application/json"
MOST_COMMAS = 100_000
"""More than the longest texts and URLs can hold. Millions of values take seconds, and hundreds of megabytes."""


class JsonRoute(APIRoute):
    """A route whose body, where there is one, is of the type `application/json` and JSON text in UTF-8 (RFC 8259).

    No other type is taken: a web page may send `text/plain` to any server without asking it first (CORS).
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_parsed(request: Request) -> Response:
            parsed = _ParsedRequest(request.scope, request.receive)
            await parsed.parse()
            return await handle(parsed)

        return handle_parsed


class _ParsedRequest(Request):
    """Its body is parsed before FastAPI asks for it."""

    _value: object = None

    async def parse(self) -> None:
        """Reads the body.

        Raises:
            InvalidRequest: it is not JSON, does not say that it is, or breaks off.
        """
        with while_it_comes():
            body = await self.body()
        if body:
            _check_type(self.headers.get("content-type", ""))
            self._value = parse_json(body)

    async def json(self) -> object:
        return self._value


@contextmanager
def while_it_comes() -> Iterator[None]:
    """Around the reading of a body: that its client goes away is no fault of ours.

    Raises:
        InvalidRequest: it breaks off.
    """
    try:
        yield
    except ClientDisconnect:
        raise InvalidRequest("The body broke off.", ("body",)) from None


def _check_type(sent: str) -> None:
    if sent.partition(";")[0].strip().lower() != MEDIA_TYPE:
        came = f"this one came as '{sent[:80]}'" if sent else "this one came without a type"
        detail = f"The body must be sent with the header 'Content-Type: {MEDIA_TYPE}': {came}."
        raise InvalidRequest(detail, ("header", "Content-Type"))


def parse_json(body: bytes) -> object:
    """The value of a JSON text in UTF-8; a byte order mark before it is ignored.

    Raises:
        InvalidRequest: it is something else (says where), or has too many values.
    """
    if body.count(b",") > MOST_COMMAS:
        raise InvalidRequest(f"The body has more than {MOST_COMMAS:,} commas: no request needs so many.", ("body",))
    try:
        return json.loads(_text(body))
    except json.JSONDecodeError as error:
        reason = f"{error.msg.rstrip(': ')}: line {error.lineno}, column {error.colno}"
    except ValueError:  # Python's own limit
        reason = "a number in it has too many digits"
    except RecursionError:
        reason = "it is nested too deeply"
    raise InvalidRequest(f"The body is not valid JSON: {reason}.", ("body",))


def _text(body: bytes) -> str:
    if b"\0" in body[:4]:  # by which RFC 4627 told UTF-16 and UTF-32
        raise InvalidRequest("The body is in UTF-16 or UTF-32: JSON must be sent in UTF-8.", ("body",))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        where = f"the byte 0x{body[error.start]:02x} at line {line}, column {column}"
        raise InvalidRequest(f"The body is not in UTF-8 ({where}): JSON must be sent in UTF-8.", ("body",)) from None
