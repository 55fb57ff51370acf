"""An orchestrator with stages on one event loop: what its tests share."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from deployments.media.sizes import AspectRatio
from deployments.settings import Settings
from deployments.tasks.batches import Answers
from deployments.tasks.followers import Followers, Told
from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.messages import Ask, Message
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Operation, Task
from deployments.tasks.running_steps import RunningSteps, RunStep
from deployments.tasks.status_map import StatusMap
from deployments.tasks.work import BackgroundJob, Outcome, StepRequest, Work

R = TypeVar("R")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def task_and_work(task_id: str = "t") -> tuple[Task, Work]:
    """A background: its steps are `generate_background` and `upload`."""
    task = Task.accepted(
        task_id=task_id, avatar_id="a", operation=Operation.BACKGROUND, read_url="https://r", engine="local", at=AT
    )
    return task, Work(task_id, BackgroundJob("a sea", AspectRatio.SQUARE, "https://w"))


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


async def turns() -> None:
    """Lets everybody do what they can."""
    for _ in range(50):
        await asyncio.sleep(0)


class FakeStages:
    """All stages in one process, which does their steps by `run`; what that raises is lost with the process.

    It hears what `orchestrator`, once that is set, has called off.
    """

    orchestrator: Orchestrator | None = None

    def __init__(self, run: RunStep) -> None:
        self._run = run
        self._runs = RunningSteps(self._ask, gather_s=0, sleep=no_sleep)
        self._following: asyncio.Task[None] | None = None

    async def send(self, _stage: str, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        if self.orchestrator is not None and self._following is None:
            self._following = asyncio.create_task(self._runs.follow())
        answering = self._runs.together(requests, self._run)
        del requests  # as a real stage's handle does, so that tests can tell what else holds its pictures
        async for answers in answering:
            yield answers

    async def _ask(self, message: Message[R]) -> R:
        assert self.orchestrator is not None
        return await message.handle(self.orchestrator)


def orchestrator(
    run: RunStep, journal: Journal | None = None, on_lost: Callable[[Task], None] = lambda _: None, **settings: object
) -> Orchestrator:
    stages = FakeStages(run)
    made = Orchestrator(
        Settings.model_validate(settings), journal or MemoryJournal(), stages.send, on_lost=on_lost, sleep=no_sleep
    )
    stages.orchestrator = made
    return made


async def finish(request: StepRequest) -> Outcome:
    """A step that changes nothing."""
    return request.work


async def end_of(a: Orchestrator, task_id: str = "t") -> Task:
    """The task once it has ended."""
    seen = a.tasks.get(task_id)
    while seen is not None and not seen.is_ended:
        seen = await changed(a.tasks, seen)
    assert seen is not None
    return seen


async def changed(tasks: StatusMap, seen: Task) -> Task | None:
    """The task as soon as it is no longer `seen`; None if it is not (or no longer) there."""
    while (task := tasks.get(seen.id)) == seen:
        await tasks.next_change(seen.id).wait()
    return task


def asker_of(a: Orchestrator) -> Ask:
    """What carries messages to it, as `deployments.runtime.client` does."""

    async def ask(message: Message[R]) -> R:
        return await message.handle(a)

    return ask


class Asker:
    """One mirror's way of asking: by hand."""

    def __init__(self, followers: Followers, name: str) -> None:
        self._followers = followers
        self._name = name
        self._heard: int | None = None

    async def ask(self) -> Told:
        told = await self._followers.told(self._name, self._heard)
        self._heard = told.number
        return told

    def follow(self, task: Task) -> None:
        self._followers.follow(self._name, task)

    async def shows(self, task: Task) -> None:
        """Begins to show it."""
        if self._heard is None:
            await self.ask()
        self.follow(task)
        assert (await self.ask()).news == [task]
