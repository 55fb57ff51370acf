"""A little internet for the tests of the door out to it: public names and addresses that end on loopback."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
import httpx
import pytest

from deployments.errors import FetchFailed
from deployments.media.egress import Egress
from tests.faults.web import PICTURE, Web

Answers = list[tuple[int, int, int, str, tuple[str, int]]]
PUBLIC = "93.184.215.14"


@dataclass
class Internet:
    """What names resolve to (an answer for each lookup, the last one for ever), and what was looked up and dialled.

    `stuck`: how many of the next connections never come about.
    """

    web: Web
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    stuck: int = 0

    def resolve(self, host: str, port: int, *_: int) -> Answers:
        """Stands in for `socket.getaddrinfo`."""
        try:
            addresses = [str(ipaddress.ip_address(host))]
        except ValueError:
            self.looked_up.append(host)
            answers = self.names.get(host)
            if not answers:
                raise socket.gaierror(socket.EAI_NONAME, "unknown name") from None
            addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(_family(address), socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

    def url(self, path: str, host: str = "host.example") -> str:
        return f"http://{host}:{self.web.port}{path}"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Detour:
    """A stream to loopback that says it leads to the public address that was dialled."""

    def __init__(self, stream: anyio.abc.SocketStream, address: str, port: int) -> None:
        self._stream = stream
        self._remote = (address, port)

    def extra(self, attribute: object, default: object = None) -> object:
        if attribute is anyio.abc.SocketAttribute.remote_address:
            return self._remote
        return self._stream.extra(attribute, default)  # noqa: S610 (not Django's)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@asynccontextmanager
async def opened(egress: Egress) -> AsyncIterator[Egress]:
    try:
        yield egress
    finally:
        await egress.aclose()


async def why(egress: Egress, url: str, max_bytes: int = 1_000_000) -> str:
    """The message with which fetching `url` fails."""
    with pytest.raises(FetchFailed) as failure:
        await egress.fetch(url, max_bytes)
    return str(failure.value)


OWN_URL = "http://127.0.0.1:8000/api/v1/storage/objects/a?expires=1&signature=b"


class Store(httpx.AsyncBaseTransport):
    """Owns all of http://127.0.0.1:8000, where nobody listens."""

    def owns(self, url: str) -> bool:
        return url.startswith("http://127.0.0.1:8000/")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=PICTURE if request.method == "GET" else b"")
