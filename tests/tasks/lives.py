"""A service with several lives, each of which ends with a crash; see `test_orchestrator_crashes.py`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NoReturn, TypeVar

from hypothesis import strategies as st

from deployments.errors import EngineError, TaskFailed
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.settings import Settings
from deployments.tasks.entry import Entry
from deployments.tasks.journal import HeldByItsProcess, Kept, MemoryJournal
from deployments.tasks.messages import Message
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Failure, Operation, Task, now
from deployments.tasks.work import AvatarJob, BackgroundJob, Job, Outcome, OverlayJob, StepRequest, Work
from tests.tasks.in_process import FakeStages, changed

JOBS: dict[Operation, Job] = {
    Operation.AVATAR: AvatarJob("x", (Picture(url="https://p"),), AspectRatio.SQUARE, "https://w"),
    Operation.BACKGROUND: BackgroundJob("x", AspectRatio.SQUARE, "https://w"),
    Operation.OVERLAY: OverlayJob(
        "x", Picture(url="https://p"), Picture(url="https://b"), CanvasSize.SQUARE, 0, 0, 1, "https://w"
    ),
}
PAID = {StepId.GENERATE_AVATAR, StepId.GENERATE_BACKGROUND, StepId.REMOVE_BACKGROUND, StepId.OVERLAY}
R = TypeVar("R")


@dataclass(frozen=True)
class Crash:
    """Strikes at the `at`-th event of its kind in a life."""

    kind: str
    at: int


@dataclass(frozen=True)
class Plan:
    operations: tuple[Operation, ...]
    crashes: tuple[Crash, ...]
    lost_at: frozenset[int]  # which steps, counted over all lives, are lost with their replica
    refused_at: frozenset[int]  # which submits the provider certainly does not take
    persons_are_cut_out: bool  # in overlays: then nothing is removed


plans = st.builds(
    Plan,
    operations=st.lists(st.sampled_from(Operation), min_size=1, max_size=3).map(tuple),
    crashes=st.lists(
        st.builds(Crash, st.sampled_from(["before write", "after write", "after submit"]), st.integers(1, 14)),
        max_size=4,
    ).map(tuple),
    lost_at=st.frozensets(st.integers(1, 12), max_size=4),
    refused_at=st.frozensets(st.integers(1, 8), max_size=2),
    persons_are_cut_out=st.booleans(),
)


class World:
    """What outlives a process: the journal's disk, the provider, and what callers have seen."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.disk = MemoryJournal()
        self.submits: Counter[tuple[str, str]] = Counter()
        self.steps_run = 0
        self.submits_tried = 0
        self.seen: dict[str, list[Task]] = {}

    def observe(self, task: Task) -> None:
        self.seen.setdefault(task.id, []).append(task)


class Life(HeldByItsProcess):
    """All processes: a journal that crashes, and stages that submit and get lost. After the crash, nothing moves."""

    settings: ClassVar[Mapping[str, object]] = {}

    def __init__(self, world: World, crash: Crash | None) -> None:
        self.world = world
        self.crash = crash
        self.crashed = asyncio.Event()
        self.events: Counter[str] = Counter()
        self.orchestrator = Orchestrator(
            Settings.model_validate({"deadlines": {"unknown_submit_s": 0}, "attempts": 50, **self.settings}),
            self,
            FakeStages(self.step).send,
            on_change=world.observe,
            sleep=lambda _: asyncio.sleep(0),
        )

    async def strike(self, kind: str) -> None:
        if self.crashed.is_set():
            await self.dead()
        self.events[kind] += 1
        if self.crash == Crash(kind, self.events[kind]):
            self.crashed.set()
            await self.dead()

    async def dead(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def unfinished(self) -> list[Kept]:
        return await self.world.disk.unfinished()

    def ended(self) -> AsyncIterator[list[Entry]]:
        return self.world.disk.ended()

    async def read_entry(self, task_id: str) -> Entry | None:
        return await self.world.disk.read_entry(task_id)

    async def read_work(self, task_id: str) -> Work | None:
        return await self.world.disk.read_work(task_id)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self.strike("before write")
        await self.world.disk.write(entry, work)
        await self.strike("after write")

    async def forget(self, task_ids: list[str]) -> None:
        await self.world.disk.forget(task_ids)

    async def touch(self) -> None:
        await self.world.disk.touch()

    async def close(self) -> None:
        await self.world.disk.close()

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def step(self, request: StepRequest) -> Outcome:
        self.world.steps_run += 1
        lost = self.world.steps_run in self.world.plan.lost_at
        if request.step in PAID:
            try:
                await self.paid(request)
            except TaskFailed as error:
                return Failure.of(error)
        if lost:
            raise ConnectionError("the replica died")
        work = self.billed(request)
        transparent = request.step == StepId.OPEN_PERSON and self.world.plan.persons_are_cut_out
        opaque = not transparent and request.step != StepId.REMOVE_BACKGROUND
        return work.carrying(Picture(data=b"png"), opaque=opaque)

    def billed(self, request: StepRequest) -> Work:
        """The work with what the step has cost."""
        return request.work

    async def paid(self, request: StepRequest) -> None:
        """The step's paid call."""
        await ClaimedCall(self.ask, request, "fal").submit(self.send(request.task_id, request.step))

    def send(self, task_id: str, step: str) -> Callable[[], Awaitable[str]]:
        async def send() -> str:
            await asyncio.sleep(0)
            self.world.submits_tried += 1
            if self.world.submits_tried in self.world.plan.refused_at:
                raise EngineError("Refused.")
            self.world.submits[task_id, step] += 1
            await self.strike("after submit")
            return f"request {self.world.submits.total()}"

        return send


async def live_through(plan: Plan, new_life: Callable[[World, Crash | None], Life] = Life) -> World:
    world = World(plan)
    accepted: list[str] = []
    for crash in (*plan.crashes, None):
        life = new_life(world, crash)
        await life.orchestrator.recover()

        async def accept_the_rest(life: Life = life) -> None:
            for number in range(len(accepted), len(plan.operations)):
                operation = plan.operations[number]
                task = Task.accepted(
                    task_id=str(number), avatar_id="a", operation=operation, read_url="r", engine="e", at=now()
                )
                await life.orchestrator.submit(task, Work(task.id, JOBS[operation]))
                accepted.append(task.id)

        async def all_ended(life: Life = life) -> None:
            for task_id in [str(number) for number in range(len(plan.operations))]:
                seen = await life.orchestrator.get(task_id)
                if seen is not None and seen.is_ended:
                    world.observe(seen)  # its end was written, and perhaps not shown any more
                while seen is not None and not seen.is_ended:
                    seen = await changed(life.orchestrator.tasks, seen)

        async def whole_life() -> None:
            await accept_the_rest()
            await all_ended()

        living = asyncio.create_task(whole_life())
        crashing = asyncio.create_task(life.crashed.wait())
        await asyncio.wait({living, crashing}, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()
            return world
    raise AssertionError("the last life cannot crash")
