"""The promise, through every interleaving: crash at any write or submit, start again, and every task still ends.

Each example is a service with several lives. A life runs until all tasks have ended or its crash strikes: before or
after a write has become durable, or after the provider has counted a submit. Then nothing of that life acts any more,
and the next one begins with what the journal holds. Steps that run are also lost on their own, as when a replica dies.
"""

import asyncio

from hypothesis import given, settings

from deployments.errors import ErrorCode
from deployments.tasks.operations import OPERATIONS, StepId
from deployments.tasks.record import Operation, Status
from tests.tasks.lives import PAID, Plan, live_through, plans


@given(plan=plans)
@settings(max_examples=400, deadline=None)
def test_every_accepted_task_ends_and_nothing_is_paid_twice(plan: Plan) -> None:
    """No lost task, no backward status, no second submit; an unknown outcome only where a submit's answer was lost."""
    world = asyncio.run(live_through(plan))
    for number, _ in enumerate(plan.operations):
        history = world.seen[str(number)]
        last = history[-1]
        assert last.is_ended
        order = list(Status)
        shown = [order.index(task.status) for task in history]
        assert shown == sorted(shown), "a status went back"
        assert len({task.failure for task in history if task.is_ended}) == 1, "an end was not final"
        paid = {step: count for (task_id, step), count in world.submits.items() if task_id == str(number)}
        assert set(paid.values()) <= {1}, "a submit was sent twice"
        if last.status is Status.DONE:
            needed = {step.id for step in OPERATIONS[last.operation]} & PAID
            if last.operation is Operation.OVERLAY and plan.persons_are_cut_out:
                needed.remove(StepId.REMOVE_BACKGROUND)
            assert set(paid) == needed
        else:
            assert last.failure is not None
            if last.failure.code is ErrorCode.ENGINE_OUTCOME_UNKNOWN:
                assert plan.crashes, "nothing died, and yet an answer was lost"
            else:
                assert last.failure.message == "Refused."
