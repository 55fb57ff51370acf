"""What the service does for all callers."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from deployments.tasks.messages import GetOverview
from deployments.tasks.overview import ENDS, Overview, Overviews
from deployments.tasks.record import Status, Task
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import end_of, finish, orchestrator, task_and_work


def running(caller: str, status: Status = Status.PENDING) -> Task:
    task = replace(task_and_work()[0].attempted(), caller=caller)
    return task if status is Status.PENDING else task.advanced(1, status, task.timeline[0].at)


def test_tasks_are_counted_by_caller_and_status() -> None:
    """Each once."""
    tasks = [running("web"), running("web"), running("mobile"), running("web", Status.UPLOADING_IMAGE)]
    assert Overviews(lambda: tasks, lambda _: [], ["a webhook"] * 3).latest() == Overview(
        {"web": {Status.PENDING: 2, Status.UPLOADING_IMAGE: 1}, "mobile": {Status.PENDING: 1}}, (), 3
    )


def test_one_is_made_a_second_at_most() -> None:
    """However many ask: reading ten thousand tasks takes a moment."""
    clock, times = [0.0], [0]

    def in_flight() -> Iterable[Task]:
        times[0] += 1
        return [running("web")] * times[0]

    overviews = Overviews(in_flight, lambda _: [], monotonic=lambda: clock[0])
    seen = []
    for clock[0] in (0.0, 0.5, 0.9, 1.0, 1.9, 2.0):
        seen.append(overviews.latest().in_flight["web"][Status.PENDING])
    assert seen == [1, 1, 1, 2, 2, 3]


async def test_it_tells_of_the_tasks_of_an_orchestrator() -> None:
    """Those that run, and those that have ended: a hundred of them, the newest end first."""
    released = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        if request.task_id == "runs":
            await released.wait()
        return await finish(request)

    a = orchestrator(run)
    ids = [f"t{number}" for number in range(ENDS + 5)]
    for task_id in ("runs", *ids):
        task, work = task_and_work(task_id)
        await a.submit(replace(task, caller="web"), work)
        if task_id != "runs":
            await end_of(a, task_id)
    overview = await GetOverview().handle(a)
    assert [task.id for task in overview.ended] == ids[:4:-1]
    assert overview.in_flight == {"web": {Status.PROCESSING_AVATAR_MODEL: 1}}
    released.set()
    await end_of(a, "runs")
