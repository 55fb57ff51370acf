"""An attempt: its stages run one after the other, and what it reports holds none of them up."""

import asyncio
from dataclasses import replace

import pytest

from deployments.errors import ErrorCode
from deployments.tasks.attempt import Outcome, attempt
from deployments.tasks.operations import Stage
from deployments.tasks.record import Failure, StaleWrite, Status
from deployments.tasks.work import Work
from tests.tasks.test_supervisor import task_and_work

WORK = task_and_work()[1]
NO_IMAGE = Failure(ErrorCode.ENGINE_ERROR, "Try again.")


async def turns() -> None:
    """Lets everybody do what they can."""
    for _ in range(20):
        await asyncio.sleep(0)


class World:
    """A pipeline's surroundings: keeps what is reported and called. The first report is taken once `heard` is set."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.has_begun = False
        self.refusing = False
        self.fails: Stage | None = None
        self.hangs: Stage | None = None
        self.reports: list[tuple[Status, int | None]] = []
        self.calls: list[Stage] = []
        self.cancelled: list[Stage] = []

    async def enter(self, status: Status, finished: Work | None) -> None:
        is_first, self.has_begun = not self.has_begun, True
        if is_first:
            await self.heard.wait()
        if self.refusing:
            raise StaleWrite("an older attempt")
        self.reports.append((status, finished.done if finished else None))

    async def call(self, stage: Stage, work: Work) -> Outcome:
        self.calls.append(stage)
        try:
            if stage is self.hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(stage)
            raise
        return NO_IMAGE if stage is self.fails else work.noting((stage.name,))

    async def attempt(self, work: Work = WORK) -> asyncio.Task[Outcome]:
        """One that has come as far as it can."""
        attempting = asyncio.create_task(attempt(work, self.enter, self.call))
        await turns()
        return attempting


async def test_reports_hold_no_stage_up_and_come_in_order() -> None:
    """The attempt returns once all of them have been taken; each tells what the stages before it have done."""
    world = World()
    attempting = await world.attempt()
    assert world.calls == [Stage.GENERATE_BACKGROUND, Stage.UPLOAD]
    assert (world.reports, attempting.done()) == ([], False)
    world.heard.set()
    await turns()
    done = attempting.result()
    assert world.reports == [(Status.PROCESSING_AVATAR_MODEL, None), (Status.UPLOADING_IMAGE, 1)]
    assert isinstance(done, Work)
    assert (done.done, done.notes) == (2, ("GENERATE_BACKGROUND", "UPLOAD"))


async def test_stages_that_are_done_are_neither_run_nor_reported() -> None:
    """An attempt goes on from where the one before it came to."""
    world = World()
    world.heard.set()
    await (await world.attempt(replace(WORK, done=1)))
    assert (world.calls, world.reports) == ([Stage.UPLOAD], [(Status.UPLOADING_IMAGE, None)])


async def test_a_failure_waits_for_the_reports_too() -> None:
    """And no later stage runs: the task's end must not overtake its statuses."""
    world = World()
    world.fails = Stage.GENERATE_BACKGROUND
    attempting = await world.attempt()
    assert (world.calls, attempting.done()) == ([Stage.GENERATE_BACKGROUND], False)
    world.heard.set()
    await turns()
    assert attempting.result() == NO_IMAGE
    assert world.reports == [(Status.PROCESSING_AVATAR_MODEL, None)]


async def test_a_refused_report_ends_the_attempt() -> None:
    """And the call that runs: another attempt has taken over. Later reports are not made."""
    world = World()
    world.hangs, world.refusing = Stage.UPLOAD, True
    attempting = await world.attempt()
    world.heard.set()
    await turns()
    with pytest.raises(ExceptionGroup) as lost:
        attempting.result()
    assert lost.value.subgroup(StaleWrite) is not None
    assert (world.cancelled, world.reports) == ([Stage.UPLOAD], [])


async def test_a_cancelled_attempt_cancels_its_call_and_its_reports() -> None:
    """Nothing of it goes on."""
    world = World()
    world.hangs = Stage.UPLOAD
    attempting = await world.attempt()
    attempting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempting
    assert (world.cancelled, asyncio.all_tasks()) == ([Stage.UPLOAD], {asyncio.current_task()})
