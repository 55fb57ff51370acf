"""One attempt at a task: its operation's stages, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from deployments.tasks.operations import OPERATIONS, Stage
from deployments.tasks.record import Failure, Status
from deployments.tasks.work import Work

Outcome = Work | Failure
Enter = Callable[[Status, Work | None], Awaitable[None]]
"""Reports the status of the stage that begins, and what the stages before it have done (None: nothing new)."""
Call = Callable[[Stage, Work], Awaitable[Outcome]]


async def attempt(work: Work, enter: Enter, call: Call) -> Outcome:
    """Runs the stages that are not done yet, until one fails or all are done.

    The reports follow the calls, in their order, and hold none of them up: what a stage has done is safe once the next
    one has been entered. When this returns, all reports have been taken. Whatever `enter` or `call` raises goes
    through, in a group: it tells that a process was lost, and this attempt with it.
    """
    finished = None
    async with asyncio.TaskGroup() as reports:
        last: asyncio.Task[None] | None = None
        for place, step in enumerate(OPERATIONS[work.job.operation]):
            if place < work.done or not step.when(work):
                continue
            last = reports.create_task(_after(last, partial(enter, step.status, finished)))
            outcome = await call(step.stage, work)
            if isinstance(outcome, Failure):
                return outcome
            work = finished = replace(outcome, done=place + 1)
    return work


async def _after(earlier: Awaitable[None] | None, report: Callable[[], Awaitable[None]]) -> None:
    if earlier is not None:
        await earlier
    await report()
