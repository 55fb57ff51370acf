"""A little internet on loopback, and doors out to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

import anyio.abc
import pytest
import stamina

from deployments.media.egress import Egress, EgressLimits
from tests.faults.web import Web, serving
from tests.media.internet import PUBLIC, Detour, Internet
from tests.network import Connect, lead_connections


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """stamina's test mode: the tries are as many as ever, but nothing waits between them."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving() as web:
        yield web


@pytest.fixture
def internet(web: Web, monkeypatch: pytest.MonkeyPatch) -> Internet:
    internet = Internet(web, names={"host.example": [[PUBLIC]]})

    async def dial(connect: Connect, host: str, port: int) -> anyio.abc.SocketStream:
        internet.dialled.append(host)
        if internet.stuck:
            internet.stuck -= 1
            await asyncio.Event().wait()
        return cast(anyio.abc.SocketStream, Detour(await connect("127.0.0.1", port), host, port))

    lead_connections(monkeypatch, dial)
    return internet


@pytest.fixture
async def egress(internet: Internet) -> AsyncIterator[Egress]:
    """A door with the guard in place and nothing allowed."""
    egress = Egress(resolver=internet.resolve)
    yield egress
    await egress.aclose()


@pytest.fixture
async def impatient(internet: Internet) -> AsyncIterator[Egress]:
    """The same, for servers that keep one waiting: nothing but a fault takes as long as it has."""
    egress = Egress(limits=EgressLimits(total=1), resolver=internet.resolve)
    yield egress
    await egress.aclose()
