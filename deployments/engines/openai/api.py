"""OpenAI's images API over HTTP: one POST that lasts as long as the picture takes.

The server is the operator's choice, so asking it needs no hole in the outbound guard. What its answers lead to does.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from pydantic import JsonValue

from deployments.engines.httpx_errors import TROUBLE
from deployments.engines.openai import errors
from deployments.engines.openai.answers import Answer, Lost
from deployments.engines.submits import NotTaken
from deployments.errors import EngineError

CONNECT_S = 10.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ROOM = 1_000_000
"""For what an answer holds besides the picture, in bytes."""


@dataclass(frozen=True, slots=True)
class Form:
    """What to ask: the route, its fields, and the pictures (bytes and media type) under `image_field`."""

    route: str
    fields: Mapping[str, JsonValue]
    pictures: Sequence[tuple[bytes, str]] = ()
    image_field: str = "image[]"
    model: str = field(default="", kw_only=True)


class ImagesApi:
    """A server at `base_url`. `key` may be empty; a call takes at most `deadline_s`; `most_bytes` caps a picture."""

    def __init__(self, base_url: str, key: str, *, deadline_s: float, most_bytes: int) -> None:
        self._base = httpx.URL(f"{base_url}/")
        self._deadline_s = deadline_s
        self._most_bytes = most_bytes
        self.hosts = re.compile(re.escape(self._base.host), re.IGNORECASE)
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "AIGE"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            timeout=httpx.Timeout(deadline_s, connect=min(CONNECT_S, deadline_s)),
            limits=httpx.Limits(max_connections=None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def ask(self, form: Form) -> Answer:
        """Sends one POST, whatever becomes of it.

        Raises:
            TaskFailed: the server certainly did not take it; `NotTaken`, if it is worth another try.
            Lost: nobody knows whether it did.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                response = await self._sent(self._request(form))
        except _NEVER_SENT as error:
            raise NotTaken("The image model cannot be reached: try again later.", "it cannot be reached") from error
        except TROUBLE as error:  # a TimeoutError is an OSError
            raise Lost(type(error).__name__) from error
        if (failure := errors.not_taken(response)) is not None:
            raise failure
        return Answer.of(response, form.model)

    async def picture(self, url: str) -> bytes:
        """What lies at a URL without a host, on the server itself.

        Raises:
            EngineError: it cannot be had.
        """
        try:
            response = await self._sent(self._http.build_request("GET", self._base.join(url)), self._most_bytes)
            return response.raise_for_status().content
        except TROUBLE as error:
            raise EngineError("The image model's picture could not be loaded from its provider: try again.") from error

    def _request(self, form: Form) -> httpx.Request:
        url = self._base.join(form.route)
        if not form.pictures:
            return self._http.build_request("POST", url, json=form.fields)
        named = [
            (form.image_field, (f"picture-{number}.{media_type.rpartition('/')[2]}", data, media_type))
            for number, (data, media_type) in enumerate(form.pictures, start=1)
        ]
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.fields.items()}
        return self._http.build_request("POST", url, data=texts, files=named)

    async def _sent(self, request: httpx.Request, most_bytes: int | None = None) -> httpx.Response:
        """The answer, read to its end; redirects are not followed, since they could lead anywhere."""
        most = most_bytes or self._most_bytes * 4 // 3 + _ROOM
        async with aclosing(await self._http.send(request, stream=True, follow_redirects=False)) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > most:
                    raise httpx.StreamError("the answer is too large")
            return httpx.Response(
                response.status_code, headers=_plain(response.headers), content=bytes(body), request=request
            )


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Without those about an encoding that has been undone."""
    return [(name, value) for name, value in headers.items() if name not in {"content-encoding", "content-length"}]
