"""The way that a request takes out: through the guard, past it to an allowed host, or into our own object store."""

import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx
from ssrfguard import Resolver, SSRFGuardError
from ssrfguard.httpx import AsyncSafeTransport

from deployments.media.destinations import NOT_PUBLIC, AllowedHosts, OwnStore, Refused, check_url, guard, origin_of

AT_ONCE = 128
"""Requests under way in a process. More wait, where that costs nothing: whoever waits in a pool of httpcore's is looked
at for each request that goes through it, and thousands of uploads at once then take twice the CPU.
"""
LOOKUPS = 32
"""Names that are looked up at a time, each in a thread: a lookup cannot be cancelled."""
POOL_SIZE = 8
"""Idle connections that one pool keeps open; see `_Pools`."""
LOCATION = "aige.location"
"""The extension of a response that holds its `Location`."""


class Door(httpx.AsyncBaseTransport):
    """Checks each request's URL, redirects included, and sends it by the way that it may take.

    A host has `connect` seconds for a connection, at each of its addresses; if none answers in time, each has
    `patience` seconds. A lookup has `patience` seconds too.
    """

    def __init__(  # noqa: PLR0913 - the last one only for those who look up many
        self,
        allow: AllowedHosts,
        store: OwnStore | None,
        resolver: Resolver,
        *,
        connect: float,
        patience: float,
        lookups: int = LOOKUPS,
    ) -> None:
        self._allow = allow
        self._store = store
        self._connect = connect
        self._patience = patience
        self._lookups = _BoundedLookups(resolver, patience, lookups)
        tls = httpx.create_ssl_context()  # reads SSL_CERT_FILE
        pool = httpx.Limits(max_connections=None, max_keepalive_connections=POOL_SIZE)
        self._guarded = _Pools(
            lambda: AsyncSafeTransport(policy=guard(), resolver=self._lookups, verify=tls, limits=pool)
        )
        self._unguarded = _Pools(lambda: httpx.AsyncHTTPTransport(verify=tls, limits=pool))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, its `Location` moved to the extension `LOCATION`: httpx would build the request that it leads
        to, even where it follows none, and raise whatever it stumbles over.
        """
        url = str(request.url)
        check_url(url, self._allow, self._store)
        if self._store is not None and self._store.owns(url):
            return await self._store.handle_async_request(request)
        try:
            response = await self._sent(request, self._connect)
        except httpx.ConnectTimeout:
            response = await self._sent(request, self._patience)
        if (location := response.headers.pop("Location", None)) is not None:
            response.extensions[LOCATION] = location
        return response

    async def _sent(self, request: httpx.Request, connect: float) -> httpx.Response:
        request.extensions["timeout"] = {**request.extensions["timeout"], "connect": connect}
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
    """Pools of connections, each for one request at a time.

    For each request, httpcore looks at all connections of its pool: with sixty-four uploads at once in one pool, each
    costs several times as much. The pool that was used last is used next, since its connections are the freshest.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._free: list[httpx.AsyncBaseTransport] = []
        self._all: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._free.pop() if self._free else self._new()
        try:
            return await pool.handle_async_request(request)
        finally:
            self._free.append(pool)

    async def aclose(self) -> None:
        for pool in self._all:
            await pool.aclose()

    def _new(self) -> httpx.AsyncBaseTransport:
        pool = self._make()
        self._all.append(pool)
        return pool


_Answers = Iterable[tuple[int, int, int, str, tuple[str | int, ...]]]
"""What `socket.getaddrinfo` answers."""


class _BoundedLookups:
    """A resolver that gives up after `seconds`: `getaddrinfo` itself knows no time limit, and cannot be cancelled."""

    def __init__(self, resolver: Resolver, seconds: float, at_once: int) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="lookup")

    def __call__(self, host: str, *question: int) -> _Answers:
        lookup = self._threads.submit(self._resolver, host, *question)
        try:
            return lookup.result(self._seconds)
        except TimeoutError:
            lookup.cancel()
            raise socket.gaierror(socket.EAI_AGAIN, "the lookup took too long") from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
