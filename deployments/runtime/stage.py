"""What all stages share: they take many steps in a message, give each a deadline, measure it, and answer with a value.

A stage answers with `Work` or `Failure`. If its handle raises instead, the process or the connection to it was lost.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, NoReturn

from ray import serve

from deployments.engines.base import Engine, Made, PaidCalls, Verb, source_of
from deployments.engines.chain import Ask, Chain
from deployments.engines.loading import chosen_engines
from deployments.errors import DeadlineExceeded, failure_of
from deployments.media.egress import Egress
from deployments.media.fetch_ahead import at_hand, fetched_ahead
from deployments.media.images import PictureLimits
from deployments.media.open_media import open_egress
from deployments.media.picture import Picture
from deployments.media.provenance.ingredient import Ingredient, Role
from deployments.media.provenance.manifests import Manifests
from deployments.media.provenance.sources import DigitalSource
from deployments.runtime import logs, metrics
from deployments.runtime.actor import find_actor
from deployments.runtime.client import TaskStatusClient
from deployments.runtime.measures import MEASURE_SECONDS
from deployments.runtime.nodes import check_node
from deployments.runtime.scaling import RUNNING
from deployments.runtime.tracing import StepSpans, open_tracer
from deployments.settings import Environment, Settings
from deployments.tasks.batches import Answers
from deployments.tasks.log_context import task_context
from deployments.tasks.paid_call import ClaimedCalls
from deployments.tasks.record import Charge, Failure, Maker
from deployments.tasks.running_steps import RunningSteps
from deployments.tasks.work import Outcome, StepRequest, Work

logger = logging.getLogger(__name__)

FETCH_GRACE_S = 3
"""How long pictures are waited for of which, in the end, only the manifests are wanted."""


@dataclass(frozen=True)
class StepContext:
    """What a stage gets besides the work: the step's id, its deadline, its paid calls, access to pictures, and its
    spans where it is traced.
    """

    step: str
    deadline: asyncio.Timeout
    paid_calls: PaidCalls
    _egress: Egress
    _limits: PictureLimits
    _manifests: Manifests | None
    spans: StepSpans | None = None

    @property
    def seconds_left(self) -> float:
        """Until the deadline."""
        at = self.deadline.when()
        return float("inf") if at is None else at - asyncio.get_running_loop().time()

    async def bytes_of(self, picture: Picture) -> bytes:
        """The encoded picture, fetched if it is a URL.

        Raises:
            FetchFailed: it cannot be fetched.
        """
        return await picture.read(self._egress, self._limits.bytes)

    def ahead(self, pictures: Sequence[Picture]) -> AbstractAsyncContextManager[Sequence[Picture]]:
        """The pictures for an engine. What lies at URLs is fetched meanwhile, since manifests are to be kept."""
        if self._manifests is None:
            return nullcontext(pictures)
        return fetched_ahead(pictures, self._egress, self._limits.bytes)

    async def ingredients(self, pictures: Mapping[str, Picture], role: Role) -> list[Ingredient]:
        """The pictures, by title, as ingredients of the result; none where provenance is off."""
        if self._manifests is None:
            return []
        read = zip(pictures, await at_hand(pictures.values(), FETCH_GRACE_S), strict=True)
        return [await self._manifests.ingredient(data or b"", title, role) for title, data in read]

    async def marked(self, title: str, picture: Picture) -> list[Ingredient]:
        """What an engine made, as an ingredient, if it came with a manifest of its provider's."""
        found = await self.ingredients({title: picture}, "inputTo")
        return [ingredient for ingredient in found if ingredient.archive or ingredient.fault]


class Stage(ABC):
    """One replica of a stage. A subclass implements `run` alone."""

    def __init__(self, settings: Settings, build: str) -> None:
        logs.install()
        check_node(settings, build)
        app_name = serve.get_replica_context().app_name
        self.settings = settings
        self.environment = Environment()
        self.limits = PictureLimits(bytes=settings.limits.picture_bytes, pixels=settings.limits.picture_pixels)
        self.egress: Egress = open_egress(settings, self.environment)
        self._manifests = Manifests(self.environment.aige_c2pa_trust) if settings.provenance else None
        self._ask = TaskStatusClient(lambda: find_actor(app_name)).ask
        self._runs = RunningSteps(self._ask)
        self._seconds = metrics.STEP.opened()
        self._tracer = open_tracer()
        self._background = [asyncio.ensure_future(task) for task in (self._runs.follow(), logs.write_each_second())]

    @abstractmethod
    async def run(self, work: Work, run: StepContext, /) -> Work:
        """Does the step, and returns the work with its result.

        Raises:
            TaskFailed: why the task ends. Any other exception ends it as `internal`.
        """

    async def handle(self, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        """Runs all requests concurrently, and yields each outcome as soon as it is there. Called by TaskStatus."""
        async for answers in self._runs.together(requests, self._answer):
            yield answers

    async def check_health(self) -> None:  # noqa: B027 - to be called is all that it is for
        """Serve calls this regularly. A replica whose event loop hangs does not answer, and is replaced."""

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """See `deployments.runtime.scaling`."""
        return {RUNNING: len(self._runs)}

    async def _answer(self, request: StepRequest) -> Outcome:
        with task_context(request.task_id):
            started = time.monotonic()
            spans = StepSpans(self._tracer, request, request.trace) if self._tracer and request.trace else None
            outcome = await self._outcome(request, spans)
            if spans:
                spans.ended(outcome)
            told = outcome.code if isinstance(outcome, Failure) else "done"
            seconds = time.monotonic() - started
            self._seconds.observe(seconds, step=request.step, outcome=told)
            if isinstance(outcome, Failure):
                logger.info("%s: %s in %.3f s.", request.step, told, seconds)
            return outcome

    async def _outcome(self, request: StepRequest, spans: StepSpans | None) -> Outcome:
        seconds = self.settings.deadlines.stage_s
        try:
            async with asyncio.timeout(seconds) as deadline:
                paid_calls = ClaimedCalls(self._ask, request, deadline.expired)
                run = StepContext(request.step, deadline, paid_calls, self.egress, self.limits, self._manifests, spans)
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
    """A stage for one engine verb. It asks the engines that the settings name for the verb, in order."""

    verb: ClassVar[Verb]

    def __init__(self, settings: Settings, build: str) -> None:
        super().__init__(settings, build)
        self._billed = metrics.BILLED.opened()
        self._made = metrics.MADE.opened()
        self._passed = metrics.PASSED_OVER.opened()
        self._left_out = metrics.LEFT_OUT.opened()
        choice = chosen_engines(settings, self.environment)

        def make(name: str) -> Engine:
            return choice.made(name, self.egress, self.limits)

        engines = choice.all_made(self.verb, self.egress, self.limits)
        self.chain = Chain(engines, make, passing=self._on_passing)
        self._background.append(asyncio.ensure_future(self._follow_circuits()))

    async def making(self, run: StepContext, ask: Ask) -> "Making":
        """Asks the engines in order, and returns what one of them made.

        Raises:
            TaskFailed: why none of them made it.
        """
        answer = await self.chain.made(run.paid_calls, run.spans.asking(ask) if run.spans else ask)
        return Making(run.step, answer.engine, answer.made, source_of(answer.by, self.verb))

    def noting(self, work: Work, making: "Making", *, changed: bool = True) -> Work:
        """The work with the engine's notes, maker and charge. Counts the step and its billed units in the metrics.

        `changed` is False if the engine returned its input unchanged: then it is not named as a maker.
        """
        made, maker = making.made, Maker(making.step, making.engine, making.made.by_model)
        if changed:
            self._made.add(**_tags(maker))
            work = work.made(maker, making.source)
        if made.cost is None:
            return work.noting(made.notes)
        charge = Charge(making.step, made.cost.model, made.cost.units)
        self._billed.add(charge.units or 0, **_tags(maker))
        logger.info("%s billed %s units of %s.", charge.step, charge.units, charge.model)
        return work.noting(made.notes, charge)

    async def _follow_circuits(self) -> NoReturn:
        """Shows which engines are left out every few seconds, for ever: Ray forgets a gauge that nobody sets."""
        while True:
            for engine, circuit in self.chain.circuits.items():
                self._left_out.set(circuit.is_open, verb=self.verb, engine=engine)
            await asyncio.sleep(MEASURE_SECONDS)

    def _on_passing(self, engine: str, _reason: str) -> None:
        self._passed.add(verb=self.verb, engine=engine)


class Making(NamedTuple):
    """What an engine made for a step, the engine's `name`, and the kind of picture that it is."""

    step: str
    engine: str
    made: Made
    source: DigitalSource | None


def _tags(maker: Maker) -> dict[str, str]:
    return {"step": maker.step, "engine": maker.engine, "model": maker.model or ""}
