"""What all tests keep to: this machine; and those that share a running service, one process and their order.

The servers that a journal may be on are started once, for those tests that ask for them.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

import psycopg
import pytest
from hypothesis import settings
from redis import Redis

from tests.network import keep_to_this_machine
from tests.tasks.servers import postgres, redis

SHARE_A_SERVICE = ("cluster", "ui", "chaos", "e2e", "deploy", "test_commands.py", "test_starts.py", "test_packaging.py")
"""The longest first, so that none of them is left to run alone at the end."""
HEAVIEST = ("cluster", "ui", "chaos")
"""One after the other: side by side, they keep two cores so busy that clicks in the browser time out."""


def pytest_configure() -> None:
    """No test leaves this machine, and none fails because the machine is slow."""
    keep_to_this_machine()
    settings.register_profile("aige", deadline=None)
    settings.load_profile("aige")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups come first. Of tests that share a name, xdist would run one."""
    if alike := [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]:
        raise pytest.UsageError(f"several tests are called {alike}")
    for item in items:
        if (place := _place(item)) in SHARE_A_SERVICE:
            item.add_marker(pytest.mark.xdist_group(HEAVIEST[0] if place in HEAVIEST else place))
            item.add_marker(pytest.mark.service)
        if _makes_up_cases(item):
            item.add_marker(pytest.mark.exhaustive)
    items.sort(key=_turn)


def _makes_up_cases(item: pytest.Item) -> bool:
    """Whether hypothesis (or schemathesis, by it) does; its state machines are the only `TestCase`s that there are."""
    return isinstance(item, pytest.Function) and (
        hasattr(item.obj, "hypothesis") or (item.cls is not None and issubclass(item.cls, TestCase))
    )


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _turn(item: pytest.Item) -> int:
    place = _place(item)
    return SHARE_A_SERVICE.index(place) if place in SHARE_A_SERVICE else len(SHARE_A_SERVICE)


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
