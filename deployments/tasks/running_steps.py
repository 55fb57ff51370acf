"""The steps that a stage's process is running: many come in one message, each is answered when it is done, and each can
be called off by itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NoReturn

from deployments.errors import AigeError, Unavailable
from deployments.tasks.batches import MOST_BYTES, Answers
from deployments.tasks.feed import Mark
from deployments.tasks.messages import Ask, CalledOff, WatchCalledOff
from deployments.tasks.work import Outcome, StepRequest, Work

logger = logging.getLogger(__name__)

REMEMBERED = 1_000
"""How many calls off are kept for requests that are still on their way here."""
GATHER_S = 0.005
"""How long an outcome waits for others of its message."""
RETRY_S = 0.5

RunStep = Callable[[StepRequest], Awaitable[Outcome]]


class StepLost(AigeError):
    """A run has ended without an outcome."""


class RunningSteps:
    """Lives on one event loop, where `follow` runs for as long as it is used."""

    def __init__(
        self,
        ask: Ask,
        *,
        gather_s: float = GATHER_S,
        remembered: int = REMEMBERED,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ask = ask
        self.gather_s = gather_s
        self._remembered = remembered
        self._sleep = sleep
        self._running: dict[asyncio.Future[Outcome], tuple[str, int]] = {}  # task id and attempt
        self._called_off: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def follow(self) -> NoReturn:
        """Ends what is called off, for ever."""
        mark: Mark | None = None
        while True:
            try:
                mark, called_off = await self._ask(WatchCalledOff(mark))
            except Unavailable:
                await self._sleep(RETRY_S)
            else:
                self._end(called_off)

    async def together(self, requests: Sequence[StepRequest], run: RunStep) -> Answers[Outcome]:
        """Runs each request by itself, all at once. Whoever stops listening ends them all."""
        running = {self._start(request, run): place for place, request in enumerate(requests)}
        del requests
        try:
            done, _ = await asyncio.wait(running, timeout=self.gather_s)
            yield _taken(running, done)  # perhaps none: it tells that they have arrived
            while running:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                done, _ = await asyncio.wait(running, timeout=self.gather_s)
                yield _taken(running, done)
        finally:
            for one in running:
                one.cancel()

    def _start(self, request: StepRequest, run: RunStep) -> asyncio.Future[Outcome]:
        running = asyncio.ensure_future(run(request))
        self._running[running] = (request.task_id, request.attempt)
        running.add_done_callback(self._running.pop)
        if request.attempt <= self._called_off.get(request.task_id, 0):
            running.cancel()
        return running

    def _end(self, called_off: Iterable[CalledOff]) -> None:
        latest = dict(called_off)
        for running, (task_id, attempt) in self._running.items():
            if attempt <= latest.get(task_id, 0):
                running.cancel()
        for task_id, attempt in latest.items():
            self._called_off.pop(task_id, None)  # the newest stand last
            self._called_off[task_id] = attempt
        for task_id in list(self._called_off)[: -self._remembered]:
            del self._called_off[task_id]


def _taken(
    running: dict[asyncio.Future[Outcome], int], done: Iterable[asyncio.Future[Outcome]]
) -> Sequence[tuple[int, Outcome | Exception]]:
    """The answers of as many as fit in a message; the others go with the next one."""
    answers: list[tuple[int, Outcome | Exception]] = []
    size = 0
    for one in done:
        answer = _answer(one)
        size += answer.size if isinstance(answer, Work) else 0
        if answers and size > MOST_BYTES:
            break
        answers.append((running.pop(one), answer))
    return answers


def _answer(run: asyncio.Future[Outcome]) -> Outcome | StepLost:
    """Something that certainly pickles: one answer that does not would take its whole message with it."""
    if run.cancelled():
        return StepLost("it was called off")
    if (error := run.exception()) is not None:
        logger.warning("A run was lost.", exc_info=error)
        return StepLost(repr(error))
    return run.result()
