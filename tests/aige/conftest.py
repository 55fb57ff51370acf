"""The real API in-process, behind a line that a test can cut, and clients of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aige.async_client import AsyncClient
from deployments.api.app import Parts, build_api
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings
from tests.aige.line import Clock, Line
from tests.api.in_process import BASE, LOCAL, InProcess


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the machine do not count."""
    for name in ("AIGE_URL", "AIGE_KEY", "AIGE_API_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def backend() -> InProcess:
    return InProcess(Settings())


@pytest.fixture
def line(backend: InProcess, tmp_path: Path) -> Line:
    settings = Settings()
    store = BuiltinStore(tmp_path / "objects", b"secret", max_bytes=settings.limits.picture_bytes)
    parts = Parts(settings=settings, backend=backend, store=store, engines=LOCAL, sends_webhooks=True)
    return Line(build_api(parts))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(line: Line, clock: Clock) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(BASE, transport=line, sleep=clock.sleep, clock=clock) as client:
        yield client
