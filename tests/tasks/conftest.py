"""What tests on one event loop share: nothing that a test has started there outlives it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from redis import Redis

from tests.tasks.servers import Network, postgres, redis


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis server on a socket of its own."""
    with redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL server on a socket of its own."""
    with postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    with psycopg.connect(postgres_server, autocommit=True) as client:
        client.execute("DROP TABLE IF EXISTS aige_journals, aige_entries, aige_works")
    return postgres_server


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
