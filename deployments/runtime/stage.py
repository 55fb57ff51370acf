"""What every stage has in common: a message of many steps, a deadline for each, a measure, and answers that are values.

A stage answers with `Work` or with `Failure`. So whatever a caller sees raised by its handle was not said by the stage:
its process, or the way to it, was lost.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ray import serve
from ray.serve import metrics

from deployments.engines.base import Engine, EngineContext, Made, PaidCall
from deployments.engines.loading import load_engine
from deployments.errors import DeadlineExceeded, failure_of
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.open_media import open_egress
from deployments.media.picture import Picture
from deployments.runtime import logs
from deployments.runtime.actor import find_actor
from deployments.runtime.client import TaskStatusClient
from deployments.runtime.scaling import RUNNING
from deployments.settings import Environment, Settings
from deployments.tasks.batches import Answers
from deployments.tasks.log_context import task_context
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure
from deployments.tasks.runs import Runs
from deployments.tasks.work import Outcome, StepRequest, Work

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageRun:
    """What a stage is given besides the work: the step's id, its deadline, and its tools."""

    step: str
    deadline: asyncio.Timeout
    paid_call: PaidCall
    _egress: Egress
    _limits: PictureLimits

    @property
    def seconds_left(self) -> float:
        """Until the deadline."""
        at = self.deadline.when()
        return float("inf") if at is None else at - asyncio.get_running_loop().time()

    async def bytes_of(self, picture: Picture) -> bytes:
        """The encoded picture, fetched where it is elsewhere.

        Raises:
            FetchFailed: it cannot be had.
        """
        return await picture.read(self._egress, self._limits.bytes)


class Stage(ABC):
    """One replica of a stage. An author writes `run`; the rest is done here."""

    def __init__(self, settings: Settings) -> None:
        logs.install()
        app_name = serve.get_replica_context().app_name
        self.settings = settings
        self.environment = Environment()
        self.limits = PictureLimits(bytes=settings.limits.picture_bytes, pixels=settings.limits.picture_pixels)
        self.egress: Egress = open_egress(settings, self.environment)
        self._ask = TaskStatusClient(lambda: find_actor(app_name)).ask
        self._runs = Runs(self._ask)
        self._seconds = metrics.Histogram(
            "aige_step_seconds",
            description="Seconds that a stage took for a step, by its outcome.",
            boundaries=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
            tag_keys=("step", "outcome"),  # type: ignore[arg-type]  # Ray types it as a tuple of one, and takes many
        )
        self._background = [asyncio.ensure_future(task) for task in (self._runs.follow(), logs.write_each_second())]

    @abstractmethod
    async def run(self, work: Work, run: StageRun, /) -> Work:
        """The work with what the step makes.

        Raises:
            TaskFailed: why the task ends. Anything else ends it as `internal`.
        """

    async def handle(self, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        """Runs each request by itself; the answers come as they are there. Called by TaskStatus."""
        async for answers in self._runs.together(requests, self._answer):
            yield answers

    async def check_health(self) -> None:  # noqa: B027 - to be called is all that it is for
        """Serve asks now and then; a replica whose event loop hangs does not answer, and is replaced."""

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """See `deployments.runtime.scaling`."""
        return {RUNNING: len(self._runs)}

    async def _answer(self, request: StepRequest) -> Outcome:
        with task_context(request.task_id):
            started = time.monotonic()
            outcome = await self._outcome(request)
            tags = {"step": request.step, "outcome": outcome.code if isinstance(outcome, Failure) else "done"}
            self._seconds.observe(time.monotonic() - started, tags=tags)
            logger.info("%s: %s in %.3f s.", request.step, tags["outcome"], time.monotonic() - started)
            return outcome

    async def _outcome(self, request: StepRequest) -> Outcome:
        seconds = self.settings.deadlines.stage_s
        try:
            async with asyncio.timeout(seconds) as deadline:
                paid_call = ClaimedCall(self._ask, request, deadline.expired)
                run = StageRun(request.step, deadline, paid_call, self.egress, self.limits)
                return await self.run(request.work, run)
        except Exception as error:
            if deadline.expired():
                return Failure.of(
                    DeadlineExceeded(f"A stage of the task was not done within {seconds:g} s; try again.")
                )
            failure = failure_of(error)
            logger.warning("A step failed: %s: %s", failure.code, failure, exc_info=failure is not error)
            return Failure.of(failure)


class EngineStage(Stage):
    """A stage around one of the engine's verbs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._billed = metrics.Counter(
            "aige_billed_units_total",
            description="What providers say that they have billed, in their own units.",
            tag_keys=("step", "model"),  # type: ignore[arg-type]  # Ray types it as a tuple of one, and takes many
        )
        context = EngineContext(self.egress, self.limits, settings.engine_options, self.environment)
        self.engine: Engine = load_engine(self.environment.engine(settings), context)

    def noting(self, work: Work, run: StageRun, made: Made) -> Work:
        """The work with what the engine says of what it made, and with what that cost, which is counted here."""
        if made.cost is None:
            return work.noting(made.notes)
        charge = Charge(run.step, made.cost.model, made.cost.units)
        self._billed.inc(charge.units or 0, tags={"step": charge.step, "model": charge.model})
        logger.info("%s billed %s units of %s.", charge.step, charge.units, charge.model)
        return work.noting(made.notes, charge)
