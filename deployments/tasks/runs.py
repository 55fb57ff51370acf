"""The works that a process has in hand: many come in one message, each is answered when it is done, and each can be
called off by itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, NoReturn, Protocol

from deployments.errors import AigeError, Unavailable
from deployments.tasks.attempt import Outcome
from deployments.tasks.batches import Answers
from deployments.tasks.feed import Changes, Mark
from deployments.tasks.work import Work

logger = logging.getLogger("ray.serve")

REMEMBERED = 1_000
"""How many calls off are kept for works that are still on their way here."""
GATHER_S = 0.005
"""How long an outcome waits for others of its message."""
RETRY_S = 0.5

Run = Callable[[Work], Awaitable[Outcome]]


class CalledOff(NamedTuple):
    """Nobody waits any more for the attempts at a task up to and including this one."""

    id: str
    attempt: int


class RunLost(AigeError):
    """A run has ended without an outcome."""


class Source(Protocol):
    """Who knows what is called off. May raise `Unavailable`."""

    async def called_off(self, since: Mark | None) -> Changes[CalledOff]:
        """What is new, as soon as there is something, or after a while."""
        ...


class Runs:
    """Lives on one event loop, where `follow` runs for as long as it is used."""

    def __init__(self, source: Source, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._source = source
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
                mark, called_off, _ = await self._source.called_off(mark)
            except Unavailable:
                await self._sleep(RETRY_S)
            else:
                self._end(called_off)

    async def together(self, works: Sequence[Work], run: Run) -> Answers[Outcome]:
        """Runs each work by itself, all at once. Whoever stops listening ends them all."""
        running = {self._start(work, run): place for place, work in enumerate(works)}
        del works
        try:
            done, _ = await asyncio.wait(running, timeout=GATHER_S)
            yield _taken(running, done)  # perhaps none: it tells that they have arrived
            while running:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                done, _ = await asyncio.wait(running, timeout=GATHER_S)
                yield _taken(running, done)
        finally:
            for one in running:
                one.cancel()

    def _start(self, work: Work, run: Run) -> asyncio.Future[Outcome]:
        running = asyncio.ensure_future(run(work))
        self._running[running] = (work.task_id, work.attempt)
        running.add_done_callback(self._running.pop)
        if work.attempt <= self._called_off.get(work.task_id, 0):
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
        for task_id in list(self._called_off)[:-REMEMBERED]:
            del self._called_off[task_id]


def _taken(
    running: dict[asyncio.Future[Outcome], int], done: Iterable[asyncio.Future[Outcome]]
) -> Sequence[tuple[int, Outcome | Exception]]:
    return [(running.pop(one), _answer(one)) for one in done]


def _answer(run: asyncio.Future[Outcome]) -> Outcome | RunLost:
    """Something that certainly pickles: one answer that does not would take its whole message with it."""
    if run.cancelled():
        return RunLost("it was called off")
    if (error := run.exception()) is not None:
        logger.warning("A run was lost.", exc_info=error)
        return RunLost(repr(error))
    return run.result()
