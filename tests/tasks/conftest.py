"""What tests on one event loop share: nothing that a test has started there outlives it."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis


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
    folder = tmp_path_factory.mktemp("redis")
    program = shutil.which("redis-server")
    assert program, "these tests need a Redis server: install Debian's package redis-server"
    options = ["--port", "0", "--unixsocket", str(folder / "s"), "--dir", str(folder), "--appendonly", "yes"]
    with subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any("ready to accept connections" in line.lower() for line in server.stdout)
        yield f"unix://{folder / 's'}"
        server.terminate()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    with Redis.from_url(redis_server) as redis:
        redis.flushall()
    return redis_server
