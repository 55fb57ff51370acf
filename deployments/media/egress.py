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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakValueDictionary

import stamina
from ssrfguard import Resolver

from deployments.errors import FetchFailed
from deployments.media import images
from deployments.media.destinations import (
    RESERVED,
    AllowedHosts,
    Found,
    NoAnswer,
    OwnStore,
    Refused,
    check_url,
    host_of,
    origin_of,
)

if TYPE_CHECKING:
    from deployments.media.door import Door, Reply

AT_ONCE = 128
"""Requests under way in a process: each may hold a picture."""
AT_ONCE_AT_A_HOST = 32
"""Of these, PUTs to and GETs from one host and port: one that hangs leaves room for others."""
LOOKUPS = 32
"""Names that are looked up at a time, each in a thread: a lookup cannot be cancelled."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ANSWERS = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
"""The statuses with which a picture comes; 203 is a proxy's 200 (RFC 9110, 15.3.4)."""
_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
SERVER_ERROR = 5
"""The first digit of statuses with which a server speaks of its own trouble."""
_PACKED = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip", "x-compress", "x-gzip"}
    | {"zstd"}
)
"""IANA's HTTP content codings, except `identity`. Anything else in `Content-Encoding` is a mistake, and ignored."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """How many redirects `fetch` follows, and how many seconds it may take in all (`total`), repetitions included."""

    redirects: int = 3
    total: float = 60.0


class BodyToSkip(NamedTuple):
    """How many bytes of a body that nobody wants are read, and for how long."""

    bytes: int
    seconds: float


BODY_TO_SKIP = BodyToSkip(2**16, 1.0)


class Acknowledgement(NamedTuple):
    """The answer to a PUT, and its `Retry-After`."""

    status: int
    retry_after: str = ""


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
        self._rooms = WeakValueDictionary[tuple[str, int], asyncio.Semaphore]()  # by host and port, as long as used

    @cached_property
    def _door(self) -> "Door":
        """Created at the first use: a process that opens no URL saves the memory, aiohttp's own included."""
        from deployments.media.door import Door

        return Door(self._allow, self._resolver, self._lookups)

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        """The body of a GET of `url`, at most `max_bytes` long. Nothing is decompressed.

        After a temporary failure, the GET is repeated until the time is over: the picture may have been paid for, or
        the server may only have closed a kept-alive connection.

        Raises:
            FetchFailed: the picture could not be loaded, for any reason.
        """
        trouble: Refused | NoAnswer | None = None

        async def fetched() -> bytes:
            nonlocal trouble
            try:
                return await self._fetched(url, max_bytes)
            except (Refused, NoAnswer) as error:
                trouble = error
                raise

        try:
            async with asyncio.timeout(self._limits.total):
                return await _repeated(fetched)
        except (Refused, NoAnswer, TimeoutError) as error:
            reason = reason_for(trouble or error)  # rather than that the time ran out over it
            raise FetchFailed(f"The picture at {host_of(url)} could not be loaded: {reason}.") from error

    async def put(self, url: str, body: bytes, headers: Mapping[str, str]) -> Acknowledgement:
        """Sends one PUT. Follows no redirects; the caller sets a deadline.

        Raises:
            Refused: the URL, or the address behind it, is forbidden.
            NoAnswer: no answer came.
        """
        check_url(url, self._allow, self._store)
        async with self._room_at(url), self._room:
            if self._store is not None and self._store.owns(url):
                return Acknowledgement(await self._store.put(url, body))
            async with self._door.ask("PUT", url, body, headers) as reply:
                return Acknowledgement(reply.status, reply.headers.get("Retry-After", ""))

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, read: BodyToSkip = BODY_TO_SKIP
    ) -> int:
        """Sends one POST, and returns the answer's status, which has to come within `seconds`.

        Follows no redirects. The answer's body is dropped; so much of it is read that its connection can be used again.

        Raises:
            Refused: the URL, or the address behind it, is forbidden.
            NoAnswer: no answer came.
            TimeoutError: it did not come in time.
        """
        check_url(url, self._allow)
        async with self._room, asyncio.timeout(seconds) as limit, self._door.ask("POST", url, body, headers) as reply:
            limit.reschedule(None)
            await _skim(reply, read)
        return reply.status

    async def aclose(self) -> None:
        if "_door" in self.__dict__:
            await self._door.aclose()

    def _room_at(self, url: str) -> asyncio.Semaphore:
        return self._rooms.setdefault(origin_of(url), asyncio.Semaphore(AT_ONCE_AT_A_HOST))

    async def _fetched(self, url: str, max_bytes: int) -> bytes:
        for _ in range(self._limits.redirects + 1):
            check_url(url, self._allow, self._store)
            async with self._room_at(url), self._room:
                if self._store is not None and self._store.owns(url):
                    return _checked(await self._store.get(url), max_bytes)
                async with self._door.ask("GET", url) as reply:
                    location = reply.headers.get("Location")
                    if reply.status not in _REDIRECTS or location is None:
                        return await _body_of(reply, max_bytes)
            url = _target(url, location)
        raise Refused(f"it redirects more than {self._limits.redirects} times")


def _target(url: str, location: str) -> str:
    """The URL that `url` redirects to; it is checked when it is opened."""
    try:
        target = urljoin(url, quote(location, safe=RESERVED, errors="surrogateescape"))
        schemes = urlsplit(url).scheme, urlsplit(target).scheme
    except ValueError:
        raise Refused("it redirects to something that is no URL") from None
    if schemes[1] not in {"http", "https"}:
        raise Refused("it redirects to something that is no http or https URL")
    if schemes == ("https", "http"):
        raise Refused("it redirects from https to unprotected http")
    return target


def _check_status(status: int) -> None:
    """Refuses whatever comes with another status than a picture."""
    if status not in _ANSWERS:
        refused = _NotNow if status in _NOT_NOW or status // 100 == SERVER_ERROR else Refused
        raise refused(f"the server answered {status}; check that the link is still valid")


def _checked(found: Found, max_bytes: int) -> bytes:
    _check_status(found.status)
    if len(found.body) > max_bytes:
        raise _too_large(max_bytes)
    return found.body


async def _body_of(reply: "Reply", max_bytes: int) -> bytes:
    _check_status(reply.status)
    body = bytearray()
    async for chunk in reply.chunks():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    codings = {coding.strip().lower() for coding in reply.headers.get("Content-Encoding", "").split(",")}
    if codings & _PACKED and images.sniff(bytes(body[:12])) is None:
        raise Refused("the server sent it compressed, though it was asked not to")
    return bytes(body)


def _too_large(max_bytes: int) -> Refused:
    return Refused(f"it is larger than {max_bytes:,} bytes; give a smaller one")


async def _skim(reply: "Reply", read: BodyToSkip) -> None:
    """Reads a body that nobody wants; a long, a slow or a broken one costs its connection."""
    if reply.is_empty:
        return
    left = read.bytes
    with suppress(NoAnswer, TimeoutError):
        async with asyncio.timeout(read.seconds):
            async for chunk in reply.chunks():
                left -= len(chunk)
                if left < 0:
                    break


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help after `error`."""
    return error.may_pass if isinstance(error, NoAnswer) else isinstance(error, _NotNow)


_repeated = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.5, wait_max=5.0).on(_may_pass)


def reason_for(error: Refused | NoAnswer | TimeoutError) -> str:
    """Why a URL could not be opened, as a clause in plain English that names no address."""
    return "the server took too long; try again later" if isinstance(error, TimeoutError) else str(error)
