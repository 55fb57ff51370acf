"""What the client sends, what answers mean, and when to try again: all that needs no connection."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from aige.errors import ClientError, NotAnAige, Refused, Unreachable
from deployments.api.answers import PresignResponse, Problem
from deployments.api.models import AvatarRequest, BackgroundRequest, OverlayRequest

M = TypeVar("M", bound=BaseModel)
Source = str | Path | bytes
"""A picture: a URL, the path of a file, or its bytes."""
Query = Mapping[str, str | int | Sequence[str]]
"""The parameters in a URL, by name; one that has several values is repeated, once for each."""

DEFAULT_URL = "http://127.0.0.1:8000"
PATIENCE_S = 60.0
"""How long a request is repeated before it is given up."""
_INLINE_BYTES = 4_000_000
_LONGEST_KEY = 128
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PASSING = frozenset({429, 502, 503, 504})
_PASSING_OF_PROXY = frozenset({404, 500})
_SHORTEST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 8.0
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the API. It may be repeated: by its method, or by its idempotency key."""

    method: str
    path: str
    json: JsonValue = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a result is put, and where it is read."""

    write_url: str
    read_url: str

    @classmethod
    def of(cls, presigned: PresignResponse) -> "Place":
        return cls(presigned.writeUrl, presigned.readUrl)


def submission(route: Call, body: AvatarRequest | BackgroundRequest | OverlayRequest, key: str | None) -> Call:
    """The request that asks for a task. Its key is made here, before the first try: each repetition has the same.

    Raises:
        ClientError: `key` is none that the API takes.
    """
    if key and not (key.isascii() and key.isprintable() and len(key) <= _LONGEST_KEY):
        raise ClientError(f"key: must be at most {_LONGEST_KEY} printable ASCII characters.")
    return replace(route, json=body.model_dump(mode="json"), headers={"Idempotency-Key": key or str(uuid4())})


def is_url(source: Source) -> bool:
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def content_of(source: Source) -> bytes:
    """The bytes of a picture that is no URL.

    Raises:
        ClientError: there is no such file.
    """
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ClientError(f"{source} cannot be read: {error.strerror}.") from None


def inline(contents: list[bytes]) -> list[str] | None:
    """The pictures in base64; None where they are too large for a body, and go through the store instead."""
    if sum(len(content) for content in contents) > _INLINE_BYTES:
        return None
    return [base64.b64encode(content).decode() for content in contents]


def settings_of(url: str | None, key: str | None) -> tuple[str, str | None]:
    """The service's address and the API key: as given, else `AIGE_URL` and `AIGE_KEY`, else those of `make run`."""
    address = (url or os.environ.get("AIGE_URL") or DEFAULT_URL).rstrip("/")
    first, _, _ = os.environ.get("AIGE_API_KEYS", "").partition(",")
    return address, key or os.environ.get("AIGE_KEY") or first.strip().partition(":")[2] or first.strip() or None


def options_of(url: str, key: str | None) -> tuple[str, httpx.Headers, bool]:
    """What httpx wants: the API's base, the headers, and whether the environment's proxy may be asked.

    Raises:
        ClientError: that is no URL, or no key.
    """
    origin_of(url)
    try:
        headers = httpx.Headers({"Authorization": f"Bearer {key}"} if key else {}, encoding="utf-8")
    except UnicodeEncodeError:
        raise ClientError("The API key must not contain lone surrogates.") from None
    return f"{url}/api/v1", headers, may_ask_proxy(url)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: what an error may name of one that is pre-signed.

    Raises:
        ClientError: that is no URL.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if not address.host or not is_url(url):
        raise ClientError(f"{url} is no address such as {DEFAULT_URL}.")
    return f"{address.scheme}://{address.netloc.decode()}"


def may_ask_proxy(url: str) -> bool:
    """Whether the environment's proxy may be asked for a URL: for one on this machine it is not."""
    return httpx.URL(url).host not in _LOOPBACK


def parsed(response: httpx.Response, model: type[M]) -> M:
    """The body of a success.

    Raises:
        Refused: it is a problem.
        NotAnAige: it is neither.
    """
    try:
        if response.is_success:
            return model.model_validate_json(response.content)
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        raise NotAnAige(f"What answers at {_origin(response)} is not AIGE (status {response.status_code}).") from None
    raise Refused(problem.detail, problem.status, problem.type)


def pause_after(response: httpx.Response | None, tries: int, *, is_aige: bool = True) -> float | None:
    """How many seconds to wait before the same request is sent again; None where its answer stands.

    `response` is None where none came. Where AIGE is asked, a 404 or 500 that is no problem document comes from Ray's
    proxy, while the app is not deployed or when the replica that had the request died: it counts as 503.
    """
    if response is not None:
        is_problem = response.headers.get("content-type", "").startswith(_PROBLEM)
        of_proxy = is_aige and response.status_code in _PASSING_OF_PROXY and not is_problem
        if response.status_code not in _PASSING and not of_proxy:
            return None
        asked_for = response.headers.get("retry-after", "")
        if asked_for.isdecimal():
            return max(float(asked_for), _SHORTEST_PAUSE_S)
    return min(_SHORTEST_PAUSE_S * 2.0**tries, _LONGEST_PAUSE_S)


def given_up(
    response: httpx.Response | None, error: Exception | None, url: str, *, is_aige: bool = True
) -> ClientError:
    """What to raise once nobody waits any longer. `is_aige`: whether AIGE should have answered at `url`."""
    if response is None:
        reason = str(error).rstrip(".") or type(error).__name__
        advice = ": start AIGE there, or name another address" if is_aige else ""
        return Unreachable(f"Nothing answers at {url} ({reason}){advice}.")
    try:
        problem = Problem.model_validate_json(response.content)
        return Refused(problem.detail, problem.status, problem.type)
    except ValidationError:
        name = "AIGE" if is_aige else "The server"
        return Unreachable(f"{name} is not ready at {url} (status {response.status_code}): try again later.")


def _origin(response: httpx.Response) -> str:
    return str(response.request.url.copy_with(path="/", query=None))
