"""The API in-process: the real application and the real supervisor, with runs that a test decides."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.errors import Unavailable
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings
from deployments.tasks.attempt import Outcome, attempt
from deployments.tasks.entry import Binding
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.operations import Stage
from deployments.tasks.record import Task
from deployments.tasks.supervisor import Supervisor
from deployments.tasks.work import Work

BASE = "http://aige.test"


class InProcess:
    """A `Backend` on this event loop.

    `works` keeps what was handed to the stages; `outcome` says how each run ends, and `release`, once set, lets it.
    """

    def __init__(self, settings: Settings) -> None:
        self.works: list[Work] = []
        self.outcome: Callable[[Work], Outcome] = lambda work: work
        self.away = False
        self.release = asyncio.Event()
        self.release.set()
        self._supervisor = Supervisor(settings, MemoryJournal(), self._run)

    async def _run(self, work: Work) -> Outcome:
        self.works.append(work)
        await attempt(work, partial(self._supervisor.advance, work.task_id, work.attempt), self._stage)
        await self.release.wait()
        return self.outcome(work)

    async def _stage(self, _stage: Stage, work: Work) -> Outcome:
        return work

    async def accept(self, task: Task, work: Work, binding: Binding | None) -> Task:
        if self.away:
            raise Unavailable("The task status actor is restarting; try again in a few seconds.", 2)
        return await self._supervisor.accept(task, work, binding)

    async def bound(self, binding: Binding) -> Task | None:
        return await self._supervisor.bound(binding)

    async def cancel(self, task_id: str) -> Task:
        return await self._supervisor.cancel(task_id)

    async def get(self, task_id: str) -> Task | None:
        return self._supervisor.tasks.get(task_id)

    async def watch(self, task: Task) -> AsyncIterator[Task | None]:
        yield task
        while not task.is_ended:
            newer = await self._supervisor.tasks.changed(task.id, task)
            assert newer is not None
            task = newer
            yield task


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def backend(settings: Settings) -> InProcess:
    return InProcess(settings)


@pytest.fixture
def parts(settings: Settings, backend: InProcess, tmp_path: Path) -> Parts:
    store = BuiltinStore(tmp_path / "objects", b"secret", max_bytes=settings.limits.picture_bytes)
    return Parts(settings=settings, backend=backend, store=store, engine="local", generative=False)


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_api(parts)), base_url=BASE) as client:
        yield client
