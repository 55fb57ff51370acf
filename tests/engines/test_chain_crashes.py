"""Two engines that charge, through every interleaving: whatever dies, and however the order of the engines changes
between two lives, no step is ever charged for twice.

The lives are those of `tests.tasks.test_orchestrator_crashes`; here a step asks a chain of engines, in an order of its
life.
"""

import asyncio
from dataclasses import dataclass
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.engines.base import Made, PaidCall
from deployments.engines.chain import Chain
from deployments.errors import ErrorCode, NotCharged
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.tasks.paid_call import ClaimedCalls
from deployments.tasks.record import Status
from deployments.tasks.work import StepRequest
from tests.engines.fakes import Fake, fake
from tests.tasks.lives import Crash, Life, Plan, World, live_through, plans

ORDERS = [("one", "two"), ("two", "one"), ("one",), ("two",)]
LIVES = 5


@dataclass(frozen=True)
class Mixed:
    """`fails_at`: which submits, counted over all lives, are taken, fail, and cost nothing. `orders`: of each life."""

    plan: Plan
    fails_at: frozenset[int]
    orders: tuple[tuple[str, ...], ...]


mixed_plans = st.builds(
    Mixed,
    plan=plans,
    fails_at=st.frozensets(st.integers(1, 8), max_size=4),
    orders=st.lists(st.sampled_from(ORDERS), min_size=LIVES, max_size=LIVES).map(tuple),
)


class MixedLife(Life):
    """Whose steps ask engines in turn."""

    def __init__(self, world: World, crash: Crash | None, fails_at: frozenset[int], order: tuple[str, ...]) -> None:
        super().__init__(world, crash)
        self.fails_at = fails_at
        self.order = order

    async def paid(self, request: StepRequest) -> None:
        async def behave(engine: Fake, call: PaidCall) -> Made:
            receipt = call.receipt or await call.submit(lambda: self.sent(request))
            if int(receipt) in self.fails_at:
                raise NotCharged("It broke down.", "it broke down")
            return Made(Picture(engine.name.encode()))

        chain = Chain({name: fake(name, behave) for name in self.order}, lambda name: fake(name, behave))
        await chain.made(
            ClaimedCalls(self.ask, request),
            lambda engine, call: engine.background("", AspectRatio.SQUARE, call),
        )

    async def sent(self, request: StepRequest) -> str:
        await asyncio.sleep(0)
        self.world.submits_tried += 1
        number = self.world.submits_tried
        if number in self.world.plan.refused_at:
            raise NotCharged("Refused.", "it refuses")
        if number not in self.fails_at:
            self.world.submits[request.task_id, request.step] += 1
        await self.strike("after submit")
        return str(number)


@given(mixed=mixed_plans)
@settings(max_examples=400, deadline=None)
def test_no_step_is_charged_for_twice(mixed: Mixed) -> None:
    """Every task ends; an unknown outcome only where something died."""
    number = count()

    def new_life(world: World, crash: Crash | None) -> MixedLife:
        return MixedLife(world, crash, mixed.fails_at, mixed.orders[min(next(number), LIVES - 1)])

    world = asyncio.run(live_through(mixed.plan, new_life))
    assert set(world.submits.values()) <= {1}, "a step was charged for twice"
    for place, _ in enumerate(mixed.plan.operations):
        last = world.seen[str(place)][-1]
        assert last.is_ended
        if last.status is not Status.DONE:
            assert last.failure is not None
            assert last.failure.code is ErrorCode.ENGINE_ERROR or mixed.plan.crashes
