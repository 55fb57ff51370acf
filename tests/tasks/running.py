"""A task whose first step runs for as long as a test wants."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from deployments.settings import Settings
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import Message
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import FakeStages, no_sleep, task_and_work

R = TypeVar("R")
STEP = StepId.GENERATE_BACKGROUND
ENGINE = "fal"


class Running:
    """An orchestrator whose task's first step runs for as long as the test wants."""

    new_journal: Callable[[], MemoryJournal] = MemoryJournal

    def __init__(self, **settings: object) -> None:
        self.began: asyncio.Queue[StepRequest] = asyncio.Queue()
        self.lose = asyncio.Event()
        self.journal = type(self).new_journal()
        stages = FakeStages(self._run)
        self.orchestrator = Orchestrator(Settings.model_validate(settings), self.journal, stages.send, sleep=no_sleep)
        self.submits = self.orchestrator.paid_submits

    async def _run(self, request: StepRequest) -> Outcome:
        self.began.put_nowait(request)
        await self.lose.wait()
        self.lose.clear()
        raise ConnectionError

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def first_attempt(self) -> StepRequest:
        await self.orchestrator.submit(*task_and_work())
        return await self.began.get()

    async def next_attempt(self) -> StepRequest:
        self.lose.set()
        return await self.began.get()
