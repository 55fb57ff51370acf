"""A little internet on loopback, and doors out to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from deployments.media.egress import Egress, EgressLimits
from tests.faults.web import Web, serving
from tests.media.internet import PUBLIC, Internet
from tests.network import lead_sockets


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

    async def lead(address: str, port: int) -> int:
        internet.dialled.append(address)
        if internet.stuck:
            internet.stuck -= 1
            await asyncio.Event().wait()
        if internet.refused:
            internet.refused -= 1
            raise ConnectionRefusedError
        return port

    lead_sockets(monkeypatch, lead)
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
