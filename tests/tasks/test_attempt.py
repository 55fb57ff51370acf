"""An attempt: its stages run one after the other, each once its report has been taken."""

import asyncio
from dataclasses import replace

import pytest

from deployments.errors import ErrorCode
from deployments.tasks.attempt import Outcome, attempt
from deployments.tasks.operations import Stage
from deployments.tasks.record import Failure, StaleWrite, Status
from deployments.tasks.work import Work
from tests.tasks.conftest import turns
from tests.tasks.test_supervisor import task_and_work

WORK = task_and_work()[1]
NO_IMAGE = Failure(ErrorCode.ENGINE_ERROR, "Try again.")


class World:
    """A pipeline's surroundings: keeps what is reported and called. The first report is taken once `heard` is set."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.has_begun = False
        self.refusing = False
        self.fails: Stage | None = None
        self.reports: list[tuple[Status, int | None]] = []
        self.calls: list[Stage] = []

    async def enter(self, status: Status, finished: Work | None) -> None:
        is_first, self.has_begun = not self.has_begun, True
        if is_first:
            await self.heard.wait()
        if self.refusing:
            raise StaleWrite("an older attempt")
        self.reports.append((status, finished.done if finished else None))

    async def call(self, stage: Stage, work: Work) -> Outcome:
        self.calls.append(stage)
        return NO_IMAGE if stage is self.fails else work.noting((stage.name,))

    async def attempt(self, work: Work = WORK) -> asyncio.Task[Outcome]:
        """One that has come as far as it can."""
        attempting = asyncio.create_task(attempt(work, self.enter, self.call))
        await turns()
        return attempting


async def test_a_stage_is_called_once_its_report_has_been_taken() -> None:
    """So its status is shown while it runs, and what the stages before it have done is safe."""
    world = World()
    attempting = await world.attempt()
    assert (world.calls, attempting.done()) == ([], False)
    world.heard.set()
    done = await attempting
    assert world.calls == [Stage.GENERATE_BACKGROUND, Stage.UPLOAD]
    assert world.reports == [(Status.PROCESSING_AVATAR_MODEL, None), (Status.UPLOADING_IMAGE, 1)]
    assert isinstance(done, Work)
    assert (done.done, done.notes) == (2, ("GENERATE_BACKGROUND", "UPLOAD"))


async def test_stages_that_are_done_are_neither_run_nor_reported() -> None:
    """An attempt goes on from where the one before it came to."""
    world = World()
    world.heard.set()
    await (await world.attempt(replace(WORK, done=1)))
    assert (world.calls, world.reports) == ([Stage.UPLOAD], [(Status.UPLOADING_IMAGE, None)])


async def test_after_a_failure_no_later_stage_runs() -> None:
    """The failure is the outcome."""
    world = World()
    world.fails = Stage.GENERATE_BACKGROUND
    world.heard.set()
    assert await (await world.attempt()) == NO_IMAGE
    assert world.calls == [Stage.GENERATE_BACKGROUND]


async def test_a_refused_report_ends_the_attempt() -> None:
    """Another attempt has taken over: its stage is not called."""
    world = World()
    world.refusing = True
    world.heard.set()
    with pytest.raises(StaleWrite):
        await (await world.attempt())
    assert world.calls == []
