"""Settings that change while tasks are in flight: whoever was paid finishes, and nothing is submitted twice.

All that a kill leaves is the journal. `tests.chaos.test_engine_changes` does the same to real processes.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest
import stamina

from deployments.engines.base import Engine, Verb
from deployments.engines.chain import Chain
from deployments.engines.loading import chosen_engines
from deployments.errors import TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment, Settings
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import Message
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCalls
from deployments.tasks.record import Failure, Maker
from deployments.tasks.work import Outcome, StepRequest
from tests.fal_emulator import emulator as fal_emulator
from tests.fal_emulator.emulator import FalEmulator
from tests.fal_emulator.http import serving
from tests.fal_emulator.network import network_of
from tests.openai_emulator import emulator as openai_emulator
from tests.openai_emulator.emulator import OpenAIEmulator
from tests.tasks.entries import all_entries
from tests.tasks.in_process import FakeStages, end_of, no_sleep, task_and_work

R = TypeVar("R")
TASKS = 20
FOR_EVER = 1e6
FAL, LOCAL, OPENAI = {"engine": "fal"}, {"engine": "local"}, {"engine": "local", "engines": {"background": "openai"}}

CHANGES: dict[str, tuple[dict[str, object], dict[str, object], str | None, str]] = {
    "fal to local": ({**FAL}, {**LOCAL}, None, "done"),
    "fal to openai": ({**FAL}, {**OPENAI}, None, "done"),
    "openai to fal": ({**OPENAI}, {**FAL}, None, "engine_outcome_unknown"),
    "fal's key removed": ({**FAL}, {**LOCAL}, "FAL_KEY", "engine_error"),
    "openai's key removed": ({**OPENAI}, {**LOCAL}, "OPENAI_API_KEY", "engine_outcome_unknown"),
}
"""Settings before and after, the variable that goes, and how the tasks end."""


class Life:
    """All processes of a service, on a journal that outlives them."""

    def __init__(self, journal: MemoryJournal, settings: dict[str, object], egress: Egress) -> None:
        made = Settings.model_validate({"engines": {}, "deadlines": {"unknown_submit_s": 0}} | settings)
        choice = chosen_engines(made, Environment())

        def make(name: str) -> Engine:
            return choice.made(name, egress, PictureLimits())

        self._chain = Chain({name: make(name) for name in choice.verbs[Verb.BACKGROUND]}, make)
        stages = FakeStages(self._step)
        self.orchestrator = stages.orchestrator = Orchestrator(made, journal, stages.send, sleep=no_sleep)

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def _step(self, request: StepRequest) -> Outcome:
        if request.step != StepId.GENERATE_BACKGROUND:
            return request.work
        try:
            answer = await self._chain.made(
                ClaimedCalls(self.ask, request),
                lambda engine, call: engine.background("hills", AspectRatio.SQUARE, call),
            )
        except TaskFailed as failure:
            return Failure.of(failure)
        return request.work.made(Maker(request.step, answer.engine, answer.made.by_model))


@pytest.fixture
def fal() -> FalEmulator:
    return FalEmulator(queue_s=FOR_EVER)


@pytest.fixture
def openai() -> OpenAIEmulator:
    return OpenAIEmulator(run_s=FOR_EVER)


@pytest.fixture
async def egress(fal: FalEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Egress]:
    """In a network in which fal is its emulator, and with keys of both providers."""
    monkeypatch.setenv("FAL_KEY", fal_emulator.KEY)
    monkeypatch.setenv("OPENAI_API_KEY", openai_emulator.KEY)
    monkeypatch.delenv("AIGE_ENGINE", raising=False)
    async with network_of(fal, tmp_path, monkeypatch):
        egress = Egress()
        yield egress
        await egress.aclose()


@pytest.fixture
async def options(openai: OpenAIEmulator) -> AsyncIterator[dict[str, object]]:
    """Of an openai that is its emulator, though it charges."""
    async with serving(openai.handle, None) as port:
        models = {"background": "gpt-image-2"}
        yield {"engine_options": {"openai": {"base_url": f"http://127.0.0.1:{port}/v1", "models": models}}}


async def copied(journal: MemoryJournal) -> MemoryJournal:
    """What a kill leaves: the processes that write the other one are no part of what follows."""
    copy = MemoryJournal()
    for entry in await all_entries(journal):
        await copy.write(entry, await journal.read_work(entry.task.id))
    return copy


def _all_asked(fal: FalEmulator, openai: OpenAIEmulator) -> bool:
    """Whether all tasks were submitted, and their receipts recorded, where there are any."""
    return fal.posts + openai.posts == TASKS and all(request.status_reads for request in fal.requests.values())


@pytest.mark.parametrize("change", CHANGES)
async def test_who_was_paid_finishes(
    *,
    change: str,
    fal: FalEmulator,
    openai: OpenAIEmulator,
    egress: Egress,
    options: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty tasks in flight: each is finished by the engine that was paid, or ends with a clear error."""
    before, after, missing, end = CHANGES[change]
    journal = MemoryJournal()
    service = Life(journal, options | before, egress)
    names = [str(number) for number in range(TASKS)]
    for name in names:
        await service.orchestrator.submit(*task_and_work(name))
    async with asyncio.timeout(60):
        while not _all_asked(fal, openai):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    left = await copied(journal)
    fal.queue_s = 0
    if missing:
        monkeypatch.delenv(missing)
    with stamina.set_testing(True):
        service = Life(left, options | after, egress)
        await service.orchestrator.recover()
        tasks = [await end_of(service.orchestrator, name) for name in names]
    assert {task.failure.code if task.failure else task.status for task in tasks} == {end}
    paid = "fal" if before == FAL else "openai"
    if end == "done":
        assert {(task.shown_engine, len(task.made_by)) for task in tasks} == {(paid, 1)}
    assert (fal.posts, openai.posts) == ((TASKS, 0) if paid == "fal" else (0, TASKS))
