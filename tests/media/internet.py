"""A little internet for the tests of the door out to it: public names and addresses that end on loopback."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from deployments.errors import FetchFailed
from deployments.media.destinations import Found
from deployments.media.egress import Egress
from tests.faults.web import PICTURE, Web

Answers = list[tuple[int, int, int, str, tuple[str, int]]]
PUBLIC = "93.184.215.14"


@dataclass
class Internet:
    """What names resolve to (an answer for each lookup, the last one for ever), and what was looked up and dialled.

    `stuck`: how many of the next connections never come about; `refused`: how many are refused.
    """

    web: Web
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    stuck: int = 0
    refused: int = 0

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


class Store:
    """Owns all of http://127.0.0.1:8000, where nobody listens. `puts` are what it was given."""

    def __init__(self) -> None:
        self.puts: list[bytes] = []

    def owns(self, url: str) -> bool:
        return url.startswith("http://127.0.0.1:8000/")

    async def get(self, _: str) -> Found:
        return Found(200, PICTURE)

    async def put(self, _: str, body: bytes) -> int:
        self.puts.append(body)
        return 200
