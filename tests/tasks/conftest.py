"""What tests on one event loop share: nothing that a test has started there outlives it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.tasks.servers import Network


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
async def network(request: pytest.FixtureRequest, place: str) -> AsyncIterator[Network]:
    """Between a journal and its server, which is Redis or PostgreSQL as the test's `place` says."""
    url: str = request.getfixturevalue(f"{place}_url")
    if place == "redis":
        network = Network(url.removeprefix("unix://"), "redis://127.0.0.1:{}/0".format)
    else:
        socket = f"{url.partition('host=')[2]}/.s.PGSQL.5432"
        network = Network(socket, "postgresql://aige@127.0.0.1:{}/postgres?sslmode=disable&gssencmode=disable".format)
    async with network.open():
        yield network
