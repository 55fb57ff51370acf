"""The API in-process, and a client of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

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
    store = BuiltinStore(tmp_path / "objects", b"secret", max_bytes=settings.limits.picture_bytes)
    return Parts(settings=settings, backend=backend, store=store, engines=LOCAL)


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_api(parts)), base_url=BASE) as client:
        yield client
