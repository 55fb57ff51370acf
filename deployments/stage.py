"""What every stage has in common: its tools, a deadline, a measure, and the habit of answering with values.

A stage answers with `Work` or with `Failure`. So whatever a caller sees raised by its handle was not said by the stage:
its process, or the way to it, was lost.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import TypeVar

from ray.serve import metrics

from deployments import task_logging
from deployments.engines.base import Engine, EngineContext, Made, PaidCall
from deployments.engines.loading import load_engine
from deployments.errors import DeadlineExceeded, failure_of
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.opening import open_egress
from deployments.media.picture import Picture
from deployments.settings import Environment, Settings
from deployments.tasks.attempt import Outcome
from deployments.tasks.batches import Answers
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure
from deployments.tasks.work import Work
from deployments.worker import Worker

logger = logging.getLogger("ray.serve")

_deadline: ContextVar[asyncio.Timeout] = ContextVar("deadline")
"""Of the run in whose context it is asked for."""


class Stage(Worker):
    """A stage's tools, made once per replica."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.limits = PictureLimits(bytes=settings.limits.picture_bytes, pixels=settings.limits.picture_pixels)
        self.environment = Environment()
        self.egress: Egress = open_egress(settings, self.environment)
        self.seconds = metrics.Histogram(
            "aige_stage_seconds",
            description="Seconds that one run of a stage took, by its outcome.",
            boundaries=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
            tag_keys=("stage", "outcome"),  # type: ignore[arg-type]  # Ray types it as a tuple of one, and takes many
        )

    async def bytes_of(self, picture: Picture) -> bytes:
        """The encoded picture, fetched where it is elsewhere."""
        return await picture.read(self.egress, self.limits.bytes)

    async def check_health(self) -> None:
        """Serve asks now and then; a replica whose event loop hangs does not answer, and is replaced."""


class EngineStage(Stage):
    """A stage around one of the engine's verbs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._billed = metrics.Counter(
            "aige_billed_units_total",
            description="What providers say that they have billed, in their own units.",
            tag_keys=("stage", "model"),  # type: ignore[arg-type]  # Ray types it as a tuple of one, and takes many
        )
        context = EngineContext(self.egress, self.limits, settings.engine_options)
        self.engine: Engine = load_engine(self.environment.engine(settings), context)

    def noting(self, work: Work, made: Made) -> Work:
        """The work with what the engine says of what it made, and with what that cost, which is counted here."""
        if made.cost is None:
            return work.noting(made.notes)
        charge = Charge(type(self).__name__, made.cost.model, made.cost.units)
        self._billed.inc(charge.units or 0, tags={"stage": charge.stage, "model": charge.model})
        logger.info("%s billed %s units of %s.", charge.stage, charge.units, charge.model)
        return work.noting(made.notes, charge)

    def paid_call(self, work: Work) -> PaidCall:
        """The one call to a provider that this stage may pay for."""
        return ClaimedCall(self.status, work, type(self).__name__, _deadline.get().expired)


S = TypeVar("S", bound=Stage)


def verb(method: Callable[[S, Work], Awaitable[Work]]) -> Callable[[S, Sequence[Work]], Answers[Outcome]]:
    """Makes a method a stage's verb, for many works at once: each within the deadline, measured, logged, and with every
    error answered as a `Failure`.
    """
    name = method.__qualname__

    async def run(self: S, work: Work) -> Outcome:
        with task_logging.task_context(work.task_id):
            started = time.monotonic()
            outcome = await _within_deadline(method(self, work), self.settings.deadlines.stage_s)
            tags = {"stage": name, "outcome": outcome.code if isinstance(outcome, Failure) else "done"}
            self.seconds.observe(time.monotonic() - started, tags=tags)
            logger.info("%s: %s in %.3f s.", name, tags["outcome"], time.monotonic() - started)
            return outcome

    @functools.wraps(method)
    async def together(self: S, works: Sequence[Work]) -> Answers[Outcome]:
        async for answers in self.runs.together(works, functools.partial(run, self)):
            yield answers

    return together


async def _within_deadline(working: Awaitable[Work], seconds: float) -> Work | Failure:
    try:
        async with asyncio.timeout(seconds) as deadline:
            _deadline.set(deadline)
            return await working
    except Exception as error:
        if deadline.expired():
            return Failure.of(DeadlineExceeded(f"A stage of the task was not done within {seconds:g} s; try again."))
        failure = failure_of(error)
        logger.warning("A stage failed: %s: %s", failure.code, failure, exc_info=failure is not error)
        return Failure.of(failure)
