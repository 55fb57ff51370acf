"""The way that a request takes out: an HTTP client that connects to public addresses and to allowed hosts alone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import chain, zip_longest
from types import MappingProxyType
from urllib.parse import quote

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from ssrfguard import Resolver, SSRFGuardError, resolve
from yarl import URL

from deployments.media.destinations import NOT_PUBLIC, RESERVED, AllowedHosts, NoAnswer, Refused, guard

_KEPT_OPEN_S = 5.0
"""How long an idle connection is kept. Many servers close theirs after five seconds."""
_HEADERS = {
    "User-Agent": "AIGE",
    "Accept": "image/png, image/jpeg, image/webp, */*;q=0.1",
    "Accept-Encoding": "identity",  # compressed pictures hardly shrink, and no bomb hides in what is not compressed
}


class Reply:
    """What a server has answered, with its body unread. `headers` ignore case."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    @property
    def is_empty(self) -> bool:
        """Whether all of the body is there, and is nothing."""
        return self._response.content.at_eof()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; nothing is decompressed.

        Raises:
            NoAnswer: it broke off.
        """
        with _translated():
            async for chunk in self._response.content.iter_any():
                yield chunk


class Door:
    """Sends requests. One per process; make it in the event loop, and close it with `aclose`.

    It follows no redirects, keeps no cookies, reads no proxies from the environment, and sets no time limits. A name is
    resolved once for a connection, which goes to one of the answers: the next one is tried after a quarter of a second
    without a connection (RFC 8305). The certificate and the `Host` header belong to the name.
    """

    def __init__(self, allow: AllowedHosts, resolver: Resolver, lookups: int) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_GuardedResolver(allow, resolver, lookups),
                use_dns_cache=False,
                ssl=httpx.create_ssl_context(),  # certifi's authorities, unless SSL_CERT_FILE names others
                limit=0,
                keepalive_timeout=_KEPT_OPEN_S,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),  # none: the session's own default is five minutes
            auto_decompress=False,
            headers=_HEADERS,
        )

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> AsyncIterator[Reply]:
        """Sends one request to `url`, which `check_url` has let pass. A body that is not read costs its connection.

        Raises:
            Refused: the address behind the URL is forbidden.
            NoAnswer: no answer came.
        """
        target = _as_sent(url)
        if body is not None:
            headers = {**headers, "Content-Length": str(len(body))}  # S3 refuses chunked encoding

        async def sent() -> aiohttp.ClientResponse:
            data = body if body is None or method == "POST" else _once(body)  # aiohttp repeats no POST
            return await self._session.request(method, target, data=data, headers=headers, allow_redirects=False)

        with _translated():
            try:
                response = await sent()
            except aiohttp.ClientOSError as error:
                if not isinstance(error.__cause__, aiohttp.ClientConnectionResetError):
                    raise
                response = await sent()  # the server had closed an idle connection, so nothing was sent on it
        async with response:
            yield Reply(response)

    async def aclose(self) -> None:
        await self._session.close()


_Address = tuple[socket.AddressFamily, str]


class _GuardedResolver(AbstractResolver):
    """Looks names up. All answers must be public addresses, unless host and port are allowed.

    aiohttp does not ask it for literal addresses: `check_url` has judged those.
    """

    def __init__(self, allow: AllowedHosts, resolver: Resolver, lookups: int) -> None:
        self._allow = allow
        self._resolver = resolver
        self._threads = ThreadPoolExecutor(max_workers=lookups, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        addresses = await loop.run_in_executor(self._threads, self._addresses_of, host, port)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for family, address in _alternating(addresses)[: guard().max_connection_attempts]
        ]

    def _addresses_of(self, host: str, port: int) -> list[_Address]:
        if (host.lower(), port) in self._allow:
            answers = self._resolver(host, port, 0, socket.SOCK_STREAM, 0, 0)
            return [(socket.AddressFamily(family), str(address[0])) for family, _, _, _, address in answers]
        try:
            permitted = resolve(guard().check_url(f"http://{host}:{port}"), policy=guard(), resolver=self._resolver)
        except SSRFGuardError:
            raise Refused(NOT_PUBLIC) from None
        return [(answer.family, str(answer.ip)) for answer in permitted]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _alternating(addresses: Sequence[_Address]) -> list[_Address]:
    """IPv6 and IPv4 in turn, the family of the first address first: of many addresses, only the first are tried."""
    of_first = [address for address in addresses if address[0] == addresses[0][0]]
    of_other = [address for address in addresses if address[0] != addresses[0][0]]
    together = chain.from_iterable(zip_longest(of_first, of_other))
    return [address for address in together if address is not None]


async def _once(body: bytes) -> AsyncIterator[bytes]:
    """A body that can be read once. Otherwise aiohttp repeats a PUT whose answer was lost, and nobody learns that the
    store may have taken the first.
    """
    yield body


def _as_sent(url: str) -> URL:
    """The URL as written, so that its signature stays good; only what no URL may hold is percent-encoded."""
    return URL(quote(url, safe=RESERVED), encoded=True)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what aiohttp raises into `NoAnswer`. Its own texts hold URLs, and with them signatures: they end here."""
    try:
        yield
    except (Refused, TimeoutError):
        raise
    except aiohttp.ClientConnectorDNSError as error:
        may_pass = error.os_error.errno == socket.EAI_AGAIN
        raise NoAnswer("its name was not found; check the spelling", sent=False, may_pass=may_pass) from None
    except aiohttp.ClientConnectorCertificateError:
        raise NoAnswer("its certificate could not be verified", sent=False, may_pass=False) from None
    except aiohttp.ClientConnectorError:
        raise NoAnswer("no connection could be made; check the host and the port", sent=False) from None
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError):  # RuntimeError: uvloop's, for a closed socket
        words = "the connection broke off, or the answer was not proper HTTP; try again later"
        raise NoAnswer(words) from None
