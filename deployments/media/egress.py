"""Egress: the only module that opens URLs from requests.

Such a URL is hostile until it is checked. In this order:

1. Its text must name a public host in plain form (`check_url`). This needs no network, so the API checks it at submit.
2. `ssrfguard` resolves the name once. Every answer must be a public address, and the connection goes to one of them.
   The certificate and the `Host` header belong to the name.
3. Each redirect is a new URL, and is checked by 1 and 2 again.
4. Redirects, bytes and seconds are limited.

Two kinds of URL bypass the guard: those of the service's own object store, which never reach the network, and those
whose host and port are listed in `AIGE_ALLOW_HOSTS` in the same spelling.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import httpx
import stamina
from ssrfguard import Resolver

from deployments.errors import FetchFailed
from deployments.media import images
from deployments.media.destinations import (
    AllowedHosts,
    OwnStore,
    Refused,
    check_url,
    host_of,
)
from deployments.media.door import AT_ONCE, LOCATION, LOOKUPS, Door
from deployments.media.httpx_errors import TROUBLE

_HEADERS = {
    "User-Agent": "AIGE",
    "Accept": "image/png, image/jpeg, image/webp, */*;q=0.1",
    "Connection": "keep-alive",
    "Accept-Encoding": "identity",  # compressed pictures hardly shrink, and no bomb hides in what is not compressed
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ANSWERS = frozenset({httpx.codes.OK, httpx.codes.NON_AUTHORITATIVE_INFORMATION})
"""The statuses with which a picture comes; 203 is a proxy's 200 (RFC 9110, 15.3.4)."""
_NOT_NOW = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS})
_PACKED = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip", "x-compress", "x-gzip"}
    | {"zstd"}
)
"""IANA's HTTP content codings, except `identity`. Anything else in `Content-Encoding` is a mistake, and ignored."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """How many redirects `fetch` follows, and how many seconds it may take in all (`total`), repetitions included.

    After `connect` seconds without a connection, the next one of the host's addresses is tried.
    """

    redirects: int = 3
    connect: float = 5.0
    total: float = 60.0


class BodyToSkip(NamedTuple):
    """How many bytes of a body that nobody wants are read, and for how long."""

    bytes: int
    seconds: float


BODY_TO_SKIP = BodyToSkip(2**16, 1.0)


class _NotNow(Refused):
    """A refusal that may be temporary: the fetch is tried again."""


class Egress:
    """Opens URLs from requests. One per process and event loop; close it with `aclose`.

    `store` answers requests for its own URLs, so they need neither the network nor an allowed host. `resolver` replaces
    `socket.getaddrinfo`; its answers are checked too. At most `lookups` are under way at a time.
    """

    def __init__(
        self,
        *,
        allow: AllowedHosts = frozenset(),
        limits: EgressLimits = EgressLimits(),
        store: OwnStore | None = None,
        resolver: Resolver = socket.getaddrinfo,
        lookups: int = LOOKUPS,
    ) -> None:
        self._allow = allow
        self._limits = limits
        self._store = store
        self._resolver = resolver
        self._lookups = lookups
        self._room = asyncio.Semaphore(AT_ONCE)

    @cached_property
    def _door(self) -> Door:
        """Created at the first use: a process that opens no URL saves the memory.

        It is used without `httpx.AsyncClient`, which would follow redirects, keep cookies and read proxies from the
        environment. Nothing here may do that.
        """
        limits = self._limits
        return Door(
            self._allow,
            self._store,
            self._resolver,
            connect=limits.connect,
            patience=limits.total,
            lookups=self._lookups,
        )

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """The body of a GET of `url`, at most `max_bytes` long. Nothing is decompressed.

        After a temporary failure, the GET is repeated until the time is over: the picture may have been paid for, or
        the server may only have closed a kept-alive connection.

        Raises:
            FetchFailed: the picture could not be loaded, for any reason.
        """
        trouble: Exception | None = None

        async def fetched() -> bytes:
            nonlocal trouble
            try:
                return await self._fetched(url, max_bytes)
            except (Refused, httpx.TransportError) as error:
                trouble = error
                raise

        try:
            async with asyncio.timeout(self._limits.total):
                return await _repeated(fetched)
        except (Refused, httpx.TransportError, TimeoutError) as error:
            reason = reason_for(trouble or error)  # rather than that the time ran out over it
            raise FetchFailed(f"The picture at {host_of(url)} could not be loaded: {reason}.") from error

    async def put(self, url: str, body: bytes | AsyncIterable[bytes], headers: Mapping[str, str]) -> httpx.Response:
        """Sends one PUT; returns the answer's status and headers. Follows no redirects; the caller sets a deadline.

        Raises:
            Refused: the URL, or the address behind it, is forbidden.
            httpx.TransportError: no answer came.
        """
        check_url(url, self._allow, self._store)
        with _translated():
            request = _request("PUT", url, body, headers)
            async with self._room, aclosing(await self._door.handle_async_request(request)) as response:
                # Stores answer with nothing; read to its end, that leaves the connection fit for the next upload.
                if response.headers.get("Content-Length") == "0":
                    response.headers.pop("Content-Encoding", None)  # there is nothing to unpack
                    await response.aread()
                return response

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, read: BodyToSkip = BODY_TO_SKIP
    ) -> int:
        """Sends one POST, and returns the answer's status, which has to come within `seconds`.

        Follows no redirects. The answer's body is dropped; so much of it is read that its connection can be used again.

        Raises:
            Refused: the URL, or the address behind it, is forbidden.
            httpx.TransportError: no answer came.
            TimeoutError: it did not come in time.
        """
        check_url(url, self._allow, self._store)
        async with self._room:
            async with asyncio.timeout(seconds):
                with _translated():
                    request = _request("POST", url, body, headers)
                    response = await self._door.handle_async_request(request)
            async with aclosing(response):
                await _skim(response, read)
        return response.status_code

    async def aclose(self) -> None:
        await self._door.aclose()

    async def _fetched(self, url: str, max_bytes: int) -> bytes:
        with _translated():
            async with self._room, aclosing(await self._get(url)) as response:
                return await _body_of(response, max_bytes)

    async def _get(self, url: str) -> httpx.Response:
        """The response after all redirects, with its body unread."""
        check_url(url, self._allow, self._store)  # as written, before httpx makes it normal
        request = _request("GET", url)
        for _ in range(self._limits.redirects + 1):
            response = await self._door.handle_async_request(request)
            if response.status_code not in _REDIRECTS or LOCATION not in response.extensions:
                return response
            await response.aclose()
            request = _request("GET", _target(request.url, response.extensions[LOCATION]))
        raise Refused(f"it redirects more than {self._limits.redirects} times")


def _request(
    method: str,
    url: httpx.URL | str,
    body: bytes | AsyncIterable[bytes] | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> httpx.Request:
    """A request without time limits: a slow server has until the deadline of the fetch, or of the caller of `put`."""
    patient = {"timeout": httpx.Timeout(None).as_dict()}
    return httpx.Request(method, url, content=body, headers={**_HEADERS, **headers}, extensions=patient)


def _target(url: httpx.URL, location: str) -> httpx.URL:
    """The URL that `url` redirects to; it is checked when it is opened."""
    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise Refused("it redirects to something that is no URL") from None
    if target.scheme not in {"http", "https"}:
        raise Refused("it redirects to something that is no http or https URL")
    if (url.scheme, target.scheme) == ("https", "http"):
        raise Refused("it redirects from https to unprotected http")
    return target


@contextmanager
def _translated() -> Iterator[None]:
    """Turns every exception in `TROUBLE` into a `httpx.TransportError`; `Refused` stays as it is."""
    try:
        yield
    except (Refused, httpx.TransportError):
        raise
    except TROUBLE as error:
        raise httpx.NetworkError(type(error).__name__) from error


async def _body_of(response: httpx.Response, max_bytes: int) -> bytes:
    status = response.status_code
    if status not in _ANSWERS:
        refused = _NotNow if status in _NOT_NOW or response.is_server_error else Refused
        raise refused(f"the server answered {status}; check that the link is still valid")
    codings = {coding.strip().lower() for coding in response.headers.pop("Content-Encoding", "").split(",")}
    body = bytearray()
    async for chunk in response.aiter_bytes():  # without the header, httpx unpacks nothing
        body += chunk
        if len(body) > max_bytes:
            raise Refused(f"it is larger than {max_bytes:,} bytes; give a smaller one")
    if codings & _PACKED and images.sniff(bytes(body[:12])) is None:
        raise Refused("the server sent it compressed, though it was asked not to")
    return bytes(body)


async def _skim(response: httpx.Response, read: BodyToSkip) -> None:
    """Reads a body that nobody wants; a long, a slow or a broken one costs it its connection."""
    left = read.bytes
    with suppress(*TROUBLE):  # a TimeoutError is an OSError
        async with asyncio.timeout(read.seconds):
            async for chunk in response.aiter_raw():
                left -= len(chunk)
                if left < 0:
                    break


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help after `error`."""
    if isinstance(error, httpx.TransportError):
        return not any(_is_final(cause) for cause in _causes_of(error))
    return isinstance(error, _NotNow)


_repeated = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.5, wait_max=5.0).on(_may_pass)


def _is_final(cause: BaseException) -> bool:
    if isinstance(cause, socket.gaierror):
        return cause.errno != socket.EAI_AGAIN
    return isinstance(cause, ssl.SSLCertVerificationError)


def reason_for(error: Exception) -> str:
    """Why a URL could not be opened, as a clause in plain English that names no address.

    `error` is a `Refused`, a `httpx.TransportError` or a `TimeoutError`.
    """
    causes = tuple(_causes_of(error))
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "the server took too long; try again later"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its name was not found; check the spelling"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "its certificate could not be verified"
    if isinstance(error, httpx.ConnectError):
        return "no connection could be made; check the host and the port"
    return "the connection broke off, or the answer was not proper HTTP; try again later"


def _causes_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
