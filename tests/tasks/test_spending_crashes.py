"""A budget through every crash: the provider never charges for more than it pays for, whatever dies.

The lives are those of `test_orchestrator_crashes.py`: each crash strikes just before or after a write is durable, or
after the provider has taken a submit.
"""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.errors import ErrorCode
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge
from deployments.tasks.work import StepRequest, Work
from tests.tasks.lives import PAID, Crash, Life, Plan, World, live_through, plans


class Spender(Life):
    """Each of its submits costs one unit."""

    async def paid(self, request: StepRequest) -> None:
        call = ClaimedCall(self.ask, request, "fal")
        await call.submit(self.send(request.task_id, request.step), "model")

    def billed(self, request: StepRequest) -> Work:
        return request.work.noting((), Charge(request.step, "model", 1)) if request.step in PAID else request.work


@given(plan=plans, pictures=st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_a_budget_is_never_broken(plan: Plan, pictures: int) -> None:
    """Each task is done, or says that the budget did not pay for it; nothing that was spent is missing from the sum."""
    lives: list[Spender] = []
    # A cent is left beside the pictures: so no submission is refused, and tasks end by their budget instead.
    kept = {"prices": {"model": 0.1}, "callers": {"default": {"spend_per_day": pictures / 10 + 0.01}}}

    class OfBudget(Spender):
        settings: ClassVar[Mapping[str, object]] = kept

    def new_life(world: World, crash: Crash | None) -> Life:
        lives.append(OfBudget(world, crash))
        return lives[-1]

    world = asyncio.run(live_through(plan, new_life))
    assert world.submits.total() <= pictures
    spent = lives[-1].orchestrator.callers.spendings.spent("default")
    assert world.submits.total() <= spent * 10 <= pictures
    ends = [world.seen[str(number)][-1] for number, _ in enumerate(plan.operations)]
    for end in ends:
        if end.error is not None and end.error.code is ErrorCode.ENGINE_OUTCOME_UNKNOWN:
            assert plan.crashes
        elif end.error is not None:
            assert end.error.code is ErrorCode.BUDGET_EXCEEDED or end.error.message == "Refused."
    if not plan.crashes:
        assert world.submits.total() == spent * 10, "something that was not taken is kept"
