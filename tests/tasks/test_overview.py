"""What the service does for all callers."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import GetOverview
from deployments.tasks.operations import StepId
from deployments.tasks.overview import ENDS, DayOfBills, Overview, Overviews
from deployments.tasks.record import Charge, Status, Task
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import AT, end_of, finish, orchestrator, task_and_work

UPLOAD = StepId.UPLOAD


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


def billed(task_id: str, at: datetime, *charges: tuple[str, str | None]) -> Task:
    """A task that has ended, and what it was charged: models and amounts."""
    task = replace(task_and_work(task_id)[0].attempted(), caller="web")
    amounts = tuple(Decimal(amount) if amount else None for _, amount in charges)
    return task.charged(tuple(Charge("s", model, 1) for model, _ in charges), (), amounts).finished(1, at)


def test_bills_are_added_up_by_caller_and_model_for_a_day() -> None:
    """Each task counts once, when it has ended, however often it changes; models without a price count nothing."""
    clock = [AT]
    bills = DayOfBills(lambda: clock[0])
    first = billed("a", AT, ("x", "0.10"), ("y", None))
    for task in (
        first,
        first,
        billed("b", AT + timedelta(hours=2), ("x", "0.20"), ("y", "1")),
        billed("c", AT, ("z", None)),
    ):
        bills.note(task)
    bills.note(replace(first, id="d", timeline=first.timeline[:-1]))
    assert bills.sums() == {("web", "x"): Decimal("0.30"), ("web", "y"): Decimal(1)}
    clock[0] = AT + timedelta(hours=25)
    assert bills.sums() == {("web", "x"): Decimal("0.20"), ("web", "y"): Decimal(1)}
    bills.note(first)
    assert bills.sums() == {("web", "x"): Decimal("0.20"), ("web", "y"): Decimal(1)}
    clock[0] = AT + timedelta(hours=26)
    assert bills.sums() == {}


def test_bills_of_ends_before_a_restart_last_a_day_too() -> None:
    """Those that have ended since are not counted twice."""
    clock = [AT + timedelta(hours=3)]
    bills = DayOfBills(lambda: clock[0])
    tasks = [billed("late", AT + timedelta(hours=2), ("x", "2")), billed("early", AT, ("x", "1"))]
    bills.note(tasks[0])
    bills.recall(tasks)
    assert bills.sums() == {("web", "x"): Decimal(3)}
    clock[0] = AT + timedelta(hours=25)
    assert bills.sums() == {("web", "x"): Decimal(2)}


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


async def test_bills_are_known_after_a_restart() -> None:
    """The journal keeps them with their tasks."""

    async def run(request: StepRequest) -> Outcome:
        return request.work.noting((), Charge(request.step, "m", 2)) if request.step == UPLOAD else request.work

    journal, prices = MemoryJournal(), {"m": 0.25}
    a = orchestrator(run, journal, prices=prices)
    await a.submit(*task_and_work())
    await end_of(a)
    assert (await a.overview()).billed == {("default", "m"): Decimal("0.5")}
    b = orchestrator(run, journal, prices=prices)
    await b.recover()
    assert (await b.overview()).billed == {("default", "m"): Decimal("0.5")}
