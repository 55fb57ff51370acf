"""Calls to the stages: many steps in a message, and a bound on the pictures that come back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from deployments.errors import NotFound
from deployments.spans import StepTrace
from deployments.tasks.batches import BETWEEN_PROCESSES, Answers, Batches
from deployments.tasks.entry import Submits
from deployments.tasks.work import Outcome, StepRequest, Work

UNWRITTEN_BYTES = 64_000_000
"""Of pictures that came back and are not in the journal yet: beyond it, no further answer is taken from a stage."""

Send = Callable[[str, Sequence[StepRequest]], Answers[Outcome]]
"""Sends requests to a stage, by its name; raises only if its process, or the way to it, was lost."""

ReadWork = Callable[[str], Awaitable[Work]]
"""The newest work of a task, or `NotFound` where the task has ended."""


class StepToSend(NamedTuple):
    """A `StepRequest` that is to be sent. Its work, of which the pictures take `size` bytes, is read when it is."""

    task_id: str
    step: str
    attempt: int
    paid: Submits
    size: int
    trace: StepTrace | None = None


class StageClient:
    """Lives on one event loop."""

    def __init__(self, send: Send, read_work: ReadWork, unwritten_bytes: int = UNWRITTEN_BYTES) -> None:
        self._send = send
        self._read_work = read_work
        self._batches: dict[str, Batches[StepToSend, Outcome]] = {}
        self._waiting: set[str] = set()
        self._unwritten: dict[str, int] = {}
        self._unwritten_bytes = unwritten_bytes
        self._written = asyncio.Event()

    async def call(self, stage: str, call: StepToSend) -> Outcome:
        """The stage's answer. Whoever gets it says `written` once it needs no memory any more.

        Raises:
            Exception: the stage's process, or the way to it, was lost.
        """
        if stage not in self._batches:
            self._batches[stage] = Batches(
                partial(self._carry, stage), size=lambda call: call.size, pace=BETWEEN_PROCESSES
            )
        self._waiting.add(call.task_id)
        try:
            return await self._batches[stage].ask(call)
        finally:
            self._waiting.discard(call.task_id)

    def written(self, task_id: str) -> None:
        """What came back for this task is in the journal, or nobody needs it."""
        if self._unwritten.pop(task_id, None):
            self._written.set()

    async def _carry(self, stage: str, calls: Sequence[StepToSend]) -> Answers[Outcome]:
        requests = await self._requests(calls)
        if not requests:
            return
        places = list(requests)
        answering = self._send(stage, list(requests.values()))
        del requests
        async for answers in answering:
            yield [(places[place], self._noted(calls[places[place]], answer)) for place, answer in answers]
            del answers
            await self._room()

    async def _requests(self, calls: Sequence[StepToSend]) -> dict[int, StepRequest]:
        """Requests by the places of their calls; a task that has ended meanwhile needs none."""
        requests = {}
        for place, call in enumerate(calls):
            with suppress(NotFound):
                work = await self._read_work(call.task_id)
                requests[place] = StepRequest(work, call.step, call.attempt, call.paid, call.trace)
        return requests

    def _noted(self, call: StepToSend, answer: Outcome | Exception) -> Outcome | Exception:
        if isinstance(answer, Work) and answer.size and call.task_id in self._waiting:
            self._unwritten[call.task_id] = answer.size
        return answer

    async def _room(self) -> None:
        while sum(self._unwritten.values()) > self._unwritten_bytes:
            self._written.clear()
            await self._written.wait()
