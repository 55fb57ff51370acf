"""One attempt at a task: its operation's stages, one after the other."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from deployments.tasks.operations import OPERATIONS, Stage
from deployments.tasks.record import Failure, Status
from deployments.tasks.work import Work

Outcome = Work | Failure
Enter = Callable[[Status, Work | None], Awaitable[None]]
"""Reports the status of the stage that begins, and what the stages before it have done (None: nothing new)."""
Call = Callable[[Stage, Work], Awaitable[Outcome]]


async def attempt(work: Work, enter: Enter, call: Call) -> Outcome:
    """Runs the stages that are not done yet, until one fails or all are done.

    What a stage has done is safe, and the next one's status shown, before that is called. Whatever `call` raises goes
    through: it tells that a process was lost, and this attempt with it.
    """
    finished = None
    for place, step in enumerate(OPERATIONS[work.job.operation]):
        if place < work.done or not step.when(work):
            continue
        await enter(step.status, finished)
        outcome = await call(step.stage, work)
        if isinstance(outcome, Failure):
            return outcome
        work = finished = replace(outcome, done=place + 1)
    return work
