"""The only door out to the network: every URL that comes from a request is opened here, and nowhere else.

Such a URL is hostile until shown otherwise. In this order:

1. As written, it must name a public host plainly (`check_url`); this needs no network, so the API asks it at submit.
2. Its name is resolved once, every answer must be public, and the connection goes to an address that was checked:
   that is `ssrfguard`'s part. The certificate and the `Host` header stay with the name.
3. Each redirect is a new URL, and passes 1 and 2 again.
4. Redirects, bytes and seconds are counted, and end what takes too many of them.

Two kinds of URL pass by the guard: those of the service's own object store, which never reach the network, and those
whose host and port stand, literally so, in `AIGE_ALLOW_HOSTS`.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import stamina
from ssrfguard import Resolver, SSRFGuardError
from ssrfguard.httpx import AsyncSafeTransport

from deployments.errors import FetchFailed
from deployments.media.destinations import (
    NOT_PUBLIC,
    AllowedHosts,
    OwnStore,
    Refused,
    check_url,
    guard,
    host_of,
    origin_of,
    parse_allow_hosts,
)

__all__ = [
    "AllowedHosts",
    "Egress",
    "EgressLimits",
    "OwnStore",
    "Refused",
    "check_url",
    "host_of",
    "parse_allow_hosts",
    "reason_for",
]

AT_ONCE = 128
"""Requests under way in a process. More wait, where that costs nothing: whoever waits in a pool of httpcore's is looked
at for each request that goes through it, and thousands of uploads at once then take twice the CPU.
"""
POOL_SIZE = 8
"""Of them, how many go to one pool before the next one is used; see `_Pools`."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """How many redirects `fetch` follows, and how many seconds each step may take; `total` bounds a whole fetch."""

    redirects: int = 3
    lookup: float = 5.0
    connect: float = 5.0
    read: float = 15.0
    total: float = 60.0


TRIES = 3
"""How often a picture is asked for, at most."""


class _NotNow(Refused):
    """An answer that may be another one in a moment."""


class Egress:
    """Opens URLs from requests. One per process and event loop; close it with `aclose`.

    `store` answers for its own URLs, so that they need neither the network nor an allowed host. `resolver` stands in
    for `socket.getaddrinfo`; whatever it answers is checked.
    """

    def __init__(
        self,
        *,
        allow: AllowedHosts = frozenset(),
        limits: EgressLimits = EgressLimits(),
        store: OwnStore | None = None,
        resolver: Resolver = socket.getaddrinfo,
    ) -> None:
        self._allow = allow
        self._limits = limits
        self._store = store
        self._resolver = resolver
        self._room = asyncio.Semaphore(AT_ONCE)

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is first needed: a process that has opened no URL yet does not pay for it in memory."""
        limits = self._limits
        return httpx.AsyncClient(
            transport=_Door(self._allow, limits, self._store, self._resolver),
            timeout=httpx.Timeout(limits.read, connect=limits.connect),
            # Compressed pictures hardly shrink, and a bomb cannot hide in what is not compressed.
            headers={
                "User-Agent": "AIGE",
                "Accept": "image/png, image/jpeg, image/webp, */*;q=0.1",
                "Accept-Encoding": "identity",
            },
            # What one caller's server sets must not be sent along with another caller's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """The body that `url` answers a GET with, at most `max_bytes` of it.

        Tried again where that may help: a picture may have been paid for, and its address may answer only once more.

        Raises:
            FetchFailed: for every reason there is.
        """
        tries = stamina.retry_context(
            (_NotNow, httpx.ReadError), attempts=TRIES, timeout=None, wait_initial=0.5, wait_max=2.0
        )
        try:
            async with asyncio.timeout(self._limits.total):
                async for attempt in tries:
                    with attempt:
                        async with self._room, aclosing(await self._get(url)) as response:
                            return await _body_of(response, max_bytes)
            raise AssertionError("the last attempt raises")
        except (Refused, httpx.TransportError, TimeoutError) as error:
            raise FetchFailed(f"The picture at {host_of(url)} could not be loaded: {reason_for(error)}.") from error

    async def put(self, url: str, body: bytes | AsyncIterable[bytes], headers: Mapping[str, str]) -> httpx.Response:
        """One PUT, and the status and headers that answered it; redirects are not followed. The caller sets a deadline.

        Raises:
            Refused: the URL, or the address behind it, is forbidden.
            httpx.TransportError: no answer came.
        """
        check_url(url, self._allow, self._store)
        request = self._client.build_request("PUT", url, content=body, headers=headers)
        async with self._room, aclosing(await self._client.send(request, stream=True)) as response:
            # Object stores answer with nothing; read to its end, that leaves the connection fit for the next upload.
            if response.headers.get("Content-Length") == "0":
                await response.aread()
            return response

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _get(self, url: str) -> httpx.Response:
        """The answer at the end of the redirects, its body still unread."""
        check_url(url, self._allow, self._store)  # as written, before httpx makes it normal
        request = self._client.build_request("GET", url)
        for _ in range(self._limits.redirects + 1):
            # Not `follow_redirects`: httpx then reads the whole body of each redirect, however long it is.
            response = await self._client.send(request, stream=True)
            if response.next_request is None:
                return response
            await response.aclose()
            if request.url.scheme == "https" and response.next_request.url.scheme == "http":
                raise Refused("it redirects from https to unprotected http")
            request = response.next_request
        raise Refused(f"it redirects more than {self._limits.redirects} times")


class _Door(httpx.AsyncBaseTransport):
    """Checks each request's URL, redirects included, and sends it by the way that it may take."""

    def __init__(self, allow: AllowedHosts, limits: EgressLimits, store: OwnStore | None, resolver: Resolver) -> None:
        self._allow = allow
        self._store = store
        self._lookups = _BoundedLookups(resolver, limits.lookup)
        tls = httpx.create_ssl_context()  # reads SSL_CERT_FILE
        pool = httpx.Limits(max_connections=None, max_keepalive_connections=POOL_SIZE)
        self._guarded = _Pools(
            lambda: AsyncSafeTransport(policy=guard(), resolver=self._lookups, verify=tls, limits=pool)
        )
        self._unguarded = _Pools(lambda: httpx.AsyncHTTPTransport(verify=tls, limits=pool))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), self._allow, self._store)
        if self._store is not None and self._store.owns(request.url):
            return await self._store.handle_async_request(request)
        if origin_of(str(request.url)) in self._allow:
            return await self._unguarded.handle_async_request(request)
        try:
            return await self._guarded.handle_async_request(request)
        except SSRFGuardError:
            raise Refused(NOT_PUBLIC) from None

    async def aclose(self) -> None:
        await self._guarded.aclose()
        await self._unguarded.aclose()
        self._lookups.close()


class _Pools(httpx.AsyncBaseTransport):
    """Several small pools of connections; each takes `POOL_SIZE` requests before the next one takes any.

    For each request, httpcore looks at all connections of its pool: of sixty-four uploads at once, each costs twice as
    much in one pool as in eight (1.9 ms of CPU, 1.1).
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._busy = {make(): 0 for _ in range(AT_ONCE // POOL_SIZE)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = min(self._busy, key=lambda pool: self._busy[pool] // POOL_SIZE)  # of equals, the first
        self._busy[pool] += 1
        try:
            return await pool.handle_async_request(request)
        finally:
            self._busy[pool] -= 1

    async def aclose(self) -> None:
        for pool in self._busy:
            await pool.aclose()


_Answers = Iterable[tuple[int, int, int, str, tuple[str | int, ...]]]
"""What `socket.getaddrinfo` answers."""


class _BoundedLookups:
    """A resolver that gives up after `seconds`: `getaddrinfo` itself knows no time limit, and cannot be cancelled."""

    def __init__(self, resolver: Resolver, seconds: float) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="lookup")

    def __call__(self, host: str, *question: int) -> _Answers:
        lookup = self._threads.submit(self._resolver, host, *question)
        try:
            return lookup.result(self._seconds)
        except TimeoutError:
            lookup.cancel()
            raise socket.gaierror(socket.EAI_AGAIN, "the lookup took too long") from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _body_of(response: httpx.Response, max_bytes: int) -> bytes:
    if response.status_code != httpx.codes.OK:
        refused = (
            _NotNow if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error else Refused
        )
        raise refused(f"the server answered {response.status_code}; check that the link is still valid")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("the server sent it compressed, though it was asked not to")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise Refused(f"it is larger than {max_bytes:,} bytes; give a smaller one")
    return bytes(body)


def reason_for(error: Refused | httpx.TransportError | TimeoutError) -> str:
    """Why a URL could not be opened, as a clause in plain English that names no address."""
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
