"""The API in-process, and a client of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from deployments.api.app import Parts, build_api
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings
from tests.api.in_process import BASE, LOCAL, InProcess


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def backend(settings: Settings) -> InProcess:
    return InProcess(settings)


@pytest.fixture
def parts(settings: Settings, backend: InProcess, tmp_path: Path) -> Parts:
    return _parts(settings, backend, tmp_path)


Clients = Callable[[str], httpx.AsyncClient]
"""A client that sends this API key; `one`, `two` and `three`: `two` and `three` are keys of one name."""


@pytest.fixture
async def client_of(parts: Parts) -> AsyncIterator[Clients]:
    api = build_api(replace(parts, api_keys={"one": "mobile", "two": "web", "three": "web"}))
    async with AsyncExitStack() as stack:
        transport = httpx.ASGITransport(api)
        clients = {
            key: await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url=BASE, headers={"Authorization": f"Bearer {key}"})
            )
            for key in ("one", "two", "three")
        }
        yield clients.__getitem__


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(parts) as client:
        yield client


@pytest.fixture(scope="module")
def shared_backend() -> InProcess:
    """For tests whose requests never get so far."""
    return InProcess(Settings())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_client(
    shared_backend: InProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one API for all tests of a module with this loop scope: building one takes longer than a request."""
    async with _client(_parts(Settings(), shared_backend, tmp_path_factory.mktemp("api"))) as client:
        yield client


def _parts(settings: Settings, backend: InProcess, folder: Path) -> Parts:
    store = BuiltinStore(folder / "objects", b"secret", max_bytes=settings.limits.picture_bytes)
    return Parts(settings=settings, backend=backend, store=store, engines=LOCAL)


def _client(parts: Parts) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(build_api(parts)), base_url=BASE)
