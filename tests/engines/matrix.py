"""Every outcome of a first engine, with every second one: what each provider got and charged, and how the task ended.

The engines are the real ones, against their emulators; a task is walked by the real orchestrator. Each case is run
twice: undisturbed, and with a process that dies once, after the first engine's outcome; by then the provider is well
again, so that whoever asked it anew would pay. It prints the table:

    python -m tests.engines.matrix

Exit status: 1 if a task was charged for twice.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
import stamina
from rich.console import Console
from rich.table import Table

from deployments.engines.base import Engine, EngineContext, Made, PaidCall, Verb
from deployments.engines.chain import Chain
from deployments.engines.circuit import FAILURES
from deployments.engines.fal.engine import FalEngine
from deployments.engines.local.engine import LocalEngine
from deployments.engines.openai.engine import OpenAIEngine
from deployments.errors import DeadlineExceeded, TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment, Settings
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import Message
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCalls
from deployments.tasks.record import Failure, Maker, Task
from deployments.tasks.work import Outcome, StepRequest
from tests.fal_emulator import emulator as fal_emulator
from tests.fal_emulator.emulator import FalEmulator, Fault, answers, does_and_drops, does_and_hangs
from tests.fal_emulator.http import Answer, Asked, serving
from tests.fal_emulator.network import Network, egress_to_fal, network_of
from tests.openai_emulator import emulator as openai_emulator
from tests.openai_emulator.emulator import OpenAIEmulator, error
from tests.tasks.in_process import FakeStages, end_of, no_sleep, task_and_work

R = TypeVar("R")
MANY = 40
"""Faults that outlast all tries of a submit."""
NGINX = b"<html>502 Bad Gateway</html>"


@dataclass
class World:
    """The providers of one case; `own` is an openai server that charges nothing."""

    fal: FalEmulator = field(default_factory=FalEmulator)
    openai: OpenAIEmulator = field(default_factory=OpenAIEmulator)
    refused: int = 0
    """Connections to the first provider that are refused."""
    options: dict[str, object] = field(default_factory=dict)
    """Of the first engine."""
    left_out: bool = False
    stage_s: float = 20
    cancels: bool = False

    def posts(self, engine: str) -> int:
        return {"fal": self.fal.posts, "openai": self.openai.posts, "own": self.openai.posts}.get(engine, 0)

    def charges(self, engine: str) -> int:
        """What the provider may charge for: all that it took, but for what it says that it does not bill."""
        if engine == "fal":
            outcome = self.fal.outcome
            is_free = outcome is not None and outcome.status >= 500 and not outcome.headers.get("X-Fal-Billable-Units")
            return 0 if is_free else len(self.fal.requests)
        if engine == "openai":
            broke = self.openai.outcome is not None and self.openai.outcome.status >= 500
            return len(self.openai.calls) + (self.openai.posts if broke else 0)
        return 0


Case = Callable[[World], None]


def fal_says(*faults: Fault) -> Case:
    return lambda world: world.fal.script("submit", *faults)


def fal_makes(outcome: Answer) -> Case:
    def case(world: World) -> None:
        world.fal.outcome = outcome

    return case


def openai_says(*faults: Fault) -> Case:
    return lambda world: world.openai.script(*faults)


def answering(answer: Answer) -> Fault:
    async def fault(_: object) -> Answer:
        return answer

    return fault


def setting(**values: object) -> Case:
    def case(world: World) -> None:
        for name, value in values.items():
            setattr(world, name, value)

    return case


def both(*cases: Case) -> Case:
    def case(world: World) -> None:
        for one in cases:
            one(world)

    return case


def _model_error(status: int, kind: str) -> Answer:
    return Answer(status, {"detail": [{"loc": ["body"], "msg": "no", "type": kind}]})


FAL: dict[str, Case] = {
    "made": setting(),
    "no connection": setting(refused=1_000),
    "429 without end": fal_says(*[answers(429, {"detail": "slow down"})] * MANY),
    "a full queue": fal_says(*[answers(503, {"detail": "full"}, Retry_After="1")] * MANY),
    "503 in its own words": fal_says(answers(503, {"detail": "x", "error_type": "runner_scheduling_failure"})),
    "401": fal_says(answers(401, {"detail": "no"})),
    "402": fal_says(answers(402, {"detail": "no"})),
    "403": fal_says(answers(403, {"detail": "no"})),
    "left out": setting(left_out=True),
    "its own 5xx, unbilled": fal_makes(Answer(500, {"detail": "x", "error_type": "internal_error"})),
    "its own 5xx, billed": fal_makes(Answer(500, {"detail": "x", "error_type": "y"}, {"X-Fal-Billable-Units": "1"})),
    "a time-out of the model": fal_makes(_model_error(504, "generation_timeout")),
    "the answer lost": fal_says(does_and_drops),
    "a gateway's page": fal_says(answers(502, NGINX)),
    "408": fal_says(answers(408, {"detail": "x"})),
    "409": fal_says(answers(409, {"detail": "x"})),
    "another 400": fal_says(answers(400, {"detail": "x"})),
    "content rejected": fal_makes(_model_error(422, "content_policy_violation")),
    "no person": fal_makes(_model_error(422, "face_detection_error")),
    "no picture": fal_makes(_model_error(422, "image_load_error")),
    "its deadline": both(setting(options={"deadline_s": 0.2}), lambda world: setattr(world.fal, "queue_s", 1e9)),
    "the stage's deadline": both(setting(stage_s=0.2), lambda world: setattr(world.fal, "queue_s", 1e9)),
    "cancelled": both(setting(cancels=True), lambda world: setattr(world.fal, "queue_s", 1e9)),
}
OPENAI: dict[str, Case] = {
    "made": setting(),
    "no connection": setting(refused=1_000),
    "429 without end": openai_says(*[answering(error(429, "rate_limit_exceeded"))] * MANY),
    "a full queue": openai_says(*[answers(503, {"detail": "full"}, Retry_After="1")] * MANY),
    "503 in its own words": openai_says(*[answering(error(503, "overloaded"))] * MANY),
    "401": openai_says(answering(error(401, "invalid_api_key"))),
    "402": openai_says(answering(error(402, None))),
    "403": openai_says(answering(error(403, None))),
    "no money": openai_says(answering(error(400, "billing_hard_limit_reached"))),
    "left out": setting(left_out=True),
    "the answer lost": openai_says(does_and_drops),
    "a gateway's page": openai_says(answers(502, NGINX)),
    "408": openai_says(answers(408, {"error": {"message": "x"}})),
    "409": openai_says(answering(error(409, None))),
    "another 400": openai_says(answering(error(400, "invalid_value"))),
    "500": lambda world: setattr(world.openai, "outcome", error(500, "server_error")),
    "content rejected": lambda world: setattr(world.openai, "outcome", error(400, "moderation_blocked")),
    "no picture": lambda world: setattr(world.openai, "outcome", error(400, "invalid_image_file")),
    "its deadline": both(setting(options={"deadline_s": 0.2}), openai_says(does_and_hangs)),
    "the stage's deadline": both(setting(stage_s=0.2, options={"deadline_s": 1}), openai_says(does_and_hangs)),
    "cancelled": both(setting(cancels=True, options={"deadline_s": 1}), openai_says(does_and_hangs)),
}
OWN: dict[str, Case] = OPENAI | {
    "the answer lost": openai_says(*[does_and_drops] * MANY),
    "lost once": openai_says(does_and_drops),
    "a gateway's page": openai_says(*[answers(502, NGINX)] * MANY),
    "408": openai_says(*[answers(408, {"error": {"message": "x"}})] * MANY),
}
FIRST = {"fal": FAL, "openai": OPENAI, "own": OWN}
SECOND = {"fal": ("openai", "own", "local"), "openai": ("fal", "local"), "own": ("fal", "local")}
ONWARD = frozenset(
    {"no connection", "429 without end", "a full queue", "503 in its own words", "401", "402", "403", "no money"}
    | {"left out", "its own 5xx, unbilled"}
)
"""After which the second engine is asked, whatever the first one is."""
ONWARD_IF_FREE = frozenset({"the answer lost", "a gateway's page", "408", "500"})
"""After which it is asked too where the first engine charges nothing."""


@dataclass(frozen=True)
class Row:
    """One case: what the two providers got and may charge for, and how the task ended."""

    first: str
    outcome: str
    second: str
    dies: bool
    posts: tuple[int, int]
    charges: tuple[int, int]
    end: str
    made_by: tuple[str, ...]
    notes: tuple[str, ...]


class Service:
    """One task at a time, made into a picture by two engines in turn; `dies`: the first attempt's process does."""

    def __init__(self, world: World, engines: dict[str, Engine], *, dies: bool) -> None:
        self.world, self.engines, self.dies = world, engines, dies
        self.first = next(iter(engines))
        stages = FakeStages(self._step)
        settings = Settings.model_validate({"deadlines": {"unknown_submit_s": 0, "stage_s": world.stage_s}})
        self.orchestrator = stages.orchestrator = Orchestrator(settings, MemoryJournal(), stages.send, sleep=no_sleep)

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def ended(self) -> Task:
        await self.orchestrator.submit(*task_and_work())
        if self.world.cancels:
            while not self.world.posts(self.first):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            await self.orchestrator.cancel("t")
            await asyncio.sleep(0.05)
        return await end_of(self.orchestrator)

    async def _step(self, request: StepRequest) -> Outcome:
        if request.step != StepId.GENERATE_BACKGROUND:
            return request.work
        dies = self.dies and request.attempt == 1
        outcome = await self._outcome(request, dies=dies)
        if dies:
            raise ConnectionError("the process died")
        return outcome

    async def _outcome(self, request: StepRequest, *, dies: bool) -> Outcome:
        def passing(_engine: str, _reason: str) -> None:
            if dies:
                raise ConnectionError("the process died")

        chain = Chain(self.engines, self.engines.__getitem__, passing=passing)
        if self.world.left_out and request.attempt == 1:
            for _ in range(FAILURES):
                chain.circuits[self.first].failed()
        try:
            async with asyncio.timeout(self.world.stage_s) as deadline:
                answer = await chain.made(
                    ClaimedCalls(self.ask, request, deadline.expired),
                    lambda engine, call: engine.background("a sea at dawn", AspectRatio.SQUARE, call),
                )
        except TaskFailed as failure:
            return Failure.of(failure)
        except TimeoutError:
            return Failure.of(DeadlineExceeded("Too slow."))
        return request.work.noting(answer.made.notes).made(Maker(request.step, answer.engine, answer.made.by_model))


class QuickLocal(LocalEngine):
    """The local engine without the second that a painting takes."""

    async def background(self, _prompt: str, _ratio: AspectRatio, _call: PaidCall) -> Made:
        return Made(Picture(b"a painting"), ("Made by the embedded local engine.",))


class Matrix:
    """Runs cases, in a network in which fal is its emulator."""

    def __init__(self, network: Network, egress: Egress, providers: dict[str, World]) -> None:
        self._network = network
        self._egress = egress
        self._providers = providers
        self._local = QuickLocal(EngineContext(egress, PictureLimits(), Environment()))

    async def row(self, first: str, outcome: str, second: str, *, dies: bool) -> Row:
        world = self._providers["now"] = World()
        FIRST[first][outcome](world)
        async with serving(world.openai.handle, None) as port:
            base_url = f"http://127.0.0.1:{port}/v1"
            engines = {name: self._engine(name, base_url, world, is_first=name == first) for name in (first, second)}
            self._network.refused = world.refused if first == "fal" else 0
            service = Service(world, engines, dies=dies)
            task = await service.ended()
        self._network.refused = 0
        return Row(
            first,
            outcome,
            second,
            dies,
            posts=(world.posts(first), world.posts(second)),
            charges=(world.charges(first), world.charges(second)),
            end=task.failure.code if task.failure else task.status,
            made_by=tuple(maker.engine for maker in task.made_by),
            notes=task.notes,
        )

    def _engine(self, name: str, base_url: str, world: World, *, is_first: bool) -> Engine:
        options = world.options if is_first else {}
        limits = PictureLimits()
        if name == "local":
            return self._local
        if name == "fal":
            context = EngineContext(self._egress, limits, Environment(), {"deadline_s": 20} | options)
            return FalEngine(context, sleep=no_sleep)
        if is_first and world.refused:
            base_url = "http://127.0.0.1:9/v1"  # where nobody listens
        own = {"base_url": base_url, "models": {Verb.BACKGROUND.value: "gpt-image-2"}, "charges": name != "own"}
        context = EngineContext(self._egress, limits, Environment(), {"deadline_s": 20} | own | options)
        return OpenAIEngine(context, sleep=no_sleep)


class _Router(FalEmulator):
    """Hands each request to the emulator of the world that is being tried."""

    def __init__(self, worlds: dict[str, "World"]) -> None:
        super().__init__()
        self._worlds = worlds

    async def handle(self, asked: Asked) -> Answer | None:
        return await self._worlds["now"].fal.handle(asked)


@asynccontextmanager
async def matrix(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Matrix]:
    """The matrix, with keys of both providers, and no time between two tries."""
    monkeypatch.setenv("FAL_KEY", fal_emulator.KEY)
    monkeypatch.setenv("OPENAI_API_KEY", openai_emulator.KEY)
    providers: dict[str, World] = {"now": World()}
    router = _Router(providers)
    egress = egress_to_fal()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(network_of(router, folder, monkeypatch))
        stack.push_async_callback(egress.aclose)
        stack.enter_context(stamina.set_testing(True, attempts=100, cap=True))
        yield Matrix(network, egress, providers)


def cases() -> list[tuple[str, str, str, bool]]:
    """All of them: the first engine, its outcome, the second engine, and whether a process dies."""
    return [
        (first, outcome, second, dies)
        for first, outcomes in FIRST.items()
        for second in SECOND[first]
        for outcome in outcomes
        for dies in (False, True)
        if not (dies and outcome == "cancelled")  # its task has ended
    ]


async def rows() -> list[Row]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        async with matrix(Path(folder), monkeypatch) as made:
            return [await made.row(first, outcome, second, dies=dies) for first, outcome, second, dies in cases()]


def main() -> int:
    table = Table(
        "first engine", "its outcome", "second", "a process", "submits", "charges", "the task ended as", "made by"
    )
    found = asyncio.run(rows())
    for row in found:
        table.add_row(
            row.first,
            row.outcome,
            row.second,
            "dies once" if row.dies else "",
            f"{row.posts[0]} + {row.posts[1]}",
            f"{row.charges[0]} + {row.charges[1]}",
            row.end,
            ", ".join(row.made_by),
        )
    Console(width=140).print(table)
    twice = sum(sum(row.charges) > 1 for row in found)
    print(f"{len(found)} rows, {twice} with more than one charge.")  # noqa: T201 - its output
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
