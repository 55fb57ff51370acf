"""What a caller may have at once, in a minute and in a day: decided by the orchestrator, whoever asks it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from deployments.errors import BudgetUsedUp, Conflict, LimitReached, QuotaExceeded, Rate, TaskFailed, Unavailable
from deployments.settings import Settings
from deployments.tasks.callers import SHUT_OUT_S, Callers
from deployments.tasks.entry import Binding
from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.messages import CheckCaller, Message, SubmitTask
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure, Task
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.entries import all_entries
from tests.tasks.in_process import AT, FakeStages, end_of, no_sleep, task_and_work, turns
from tests.tasks.journals import BrokenJournal, SlowJournal

R = TypeVar("R")
PRICES = {"model": 0.04}


class Watching:
    """A `Watcher` that keeps what it is told."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, str]] = []
        self.spendings: list[tuple[str, str, Decimal]] = []

    def refused(self, caller: str, limit: str) -> None:
        self.refusals.append((caller, limit))

    def spent(self, caller: str, model: str, amount: Decimal) -> None:
        self.spendings.append((caller, model, amount))


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


def callers(clock: Clock, **limits: object) -> Callers:
    return Callers(Settings.model_validate({"callers": {"*": limits}}), clock)


def task(task_id: str, caller: str = "default") -> Task:
    return replace(task_and_work(task_id)[0], caller=caller)


def start(all_callers: Callers, *tasks: Task) -> None:
    for one in tasks:
        all_callers.start(one)


def test_tasks_in_flight() -> None:
    """Until they have ended, whichever way; each caller has its own."""
    some = callers(Clock(), tasks_in_flight=2)
    first = task("1")
    start(some, first, task("2"), task("3", "mobile"))
    with pytest.raises(QuotaExceeded) as refused:
        some.check("default")
    assert (refused.value.retry_after, refused.value.rate) == (5, None)
    assert some.in_flight() == {"default": 2, "mobile": 1}
    some.note(first.attempted().finished(1, AT))
    start(some, task("4"))


def test_tasks_per_minute() -> None:
    """A window that rolls: each leaves it a minute after it was accepted, however long it runs."""
    clock = Clock()
    some = callers(clock, tasks_per_minute=2)
    assert some.check("default") == Rate(2, 2, 60)
    start(some, task("1"))
    clock.now += timedelta(seconds=20.5)
    start(some, task("2"))
    assert some.rate("default") == Rate(2, 0, 40)
    with pytest.raises(QuotaExceeded) as refused:
        some.check("default")
    assert (refused.value.retry_after, refused.value.rate) == (40, Rate(2, 0, 40))
    clock.now = AT + timedelta(seconds=60)
    assert some.rate("default") == Rate(2, 1, 21)


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    """What then lies in the future does not count."""
    clock = Clock()
    some = callers(clock, tasks_per_minute=1)
    start(some, task("1"))
    clock.now -= timedelta(hours=1)
    assert some.check("default") == Rate(1, 1, 60)


@pytest.mark.parametrize("limit", ["tasks_in_flight", "tasks_per_minute", "spend_per_day"])
def test_a_limit_of_zero_shuts_out(limit: str) -> None:
    """For a day, after which the operator may have changed that."""
    some = callers(Clock(), **{limit: 0})
    with pytest.raises(LimitReached) as refused:
        some.check("default")
    assert isinstance(refused.value, BudgetUsedUp) == (limit == "spend_per_day")
    assert refused.value.retry_after == SHUT_OUT_S == 86_400
    assert "operator" in str(refused.value)


def test_what_is_refused_is_told() -> None:
    """With the name of the limit."""
    watching = Watching()
    settings = Settings.model_validate({"callers": {"a": {"tasks_in_flight": 0}, "b": {"spend_per_day": 0}}})
    some = Callers(settings, Clock(), watching)
    for caller in ("a", "b", "a"):
        with pytest.raises(LimitReached):
            some.check(caller)
    some.check("c")
    assert watching.refusals == [("a", "tasks_in_flight"), ("b", "spend_per_day"), ("a", "tasks_in_flight")]


class Service:
    """An orchestrator whose first step pays for a unit of `model`; `lives` several times on one journal."""

    def __init__(self, settings: dict[str, object], journal: Journal | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.watching = Watching()
        self.hold = asyncio.Event()
        self.hold.set()
        self.sent = 0
        stages = FakeStages(self._step)
        self.orchestrator = stages.orchestrator = Orchestrator(
            Settings.model_validate({"prices": PRICES, **settings}),
            journal or MemoryJournal(),
            stages.send,
            clock=self.clock,
            sleep=no_sleep,
            watcher=self.watching,
        )

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def submit(self, task_id: str, caller: str = "default", key: str | None = None) -> Task:
        submitted, work = task(task_id, caller), task_and_work(task_id)[1]
        binding = Binding(key, "request") if key else None
        taken = await self.ask(SubmitTask(submitted, work, binding, self.clock() + timedelta(seconds=5)))
        return taken.task

    async def _step(self, request: StepRequest) -> Outcome:
        await self.hold.wait()
        if request.step != StepId.GENERATE_BACKGROUND:
            return request.work

        async def send() -> str:
            self.sent += 1
            return "request"

        try:
            await ClaimedCall(self.ask, request, "fal").submit(send, "model")
        except TaskFailed as error:
            return Failure.of(error)
        return request.work.noting((), Charge(request.step, "model", 1))


def limited(**limits: object) -> dict[str, object]:
    return {"callers": {"default": limits}}


async def test_however_many_ask_at_once_the_limits_hold() -> None:
    """As from several replicas: each was told that it may, and only so many are accepted."""
    for limits in ({"tasks_in_flight": 3}, {"tasks_per_minute": 3}):
        service = Service(limited(**limits))
        service.hold.clear()
        await asyncio.gather(*[service.ask(CheckCaller("default", None)) for _ in range(10)])
        answers = await asyncio.gather(*[service.submit(str(n)) for n in range(10)], return_exceptions=True)
        assert sum(isinstance(answer, Task) for answer in answers) == 3
        assert sum(isinstance(answer, QuotaExceeded) for answer in answers) == 7
        await service.submit("other", "mobile")


async def test_a_task_that_could_not_be_recorded_counts_nowhere() -> None:
    """Nor does one that was refused for another reason."""
    service = Service(limited(tasks_in_flight=1, tasks_per_minute=1), BrokenJournal(1))
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
        await service.submit("1")
    assert service.orchestrator.callers.rate("default") == Rate(1, 1, 60)
    await service.submit("2")
    with pytest.raises(QuotaExceeded, match="You may start 1 tasks a minute, and have done so"):
        await service.ask(CheckCaller("default", None))


async def test_a_task_that_is_still_being_recorded_counts() -> None:
    """Its caller was refused, since that took too long; it goes on all the same."""
    journal = SlowJournal()
    service = Service(limited(tasks_in_flight=1, tasks_per_minute=2), journal)
    soon = service.clock() + timedelta(milliseconds=1)
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
        await service.ask(SubmitTask(task("1"), task_and_work("1")[1], Binding("k", "request"), soon))
    assert service.orchestrator.callers.rate("default") == Rate(2, 1, 60)
    with pytest.raises(QuotaExceeded, match="You may have 1 tasks in flight"):
        await service.submit("2")
    for _ in range(10):
        journal.let_one_through()
    await turns()
    await end_of(service.orchestrator, "1")
    await service.submit("2")


async def test_a_task_that_is_submitted_again_counts_once() -> None:
    """The same message may be repeated; a known idempotency key is let through by itself, right or wrong."""
    service = Service(limited(tasks_in_flight=1, tasks_per_minute=1))
    service.hold.clear()
    await service.submit("1", key="k")
    assert (await service.submit("1", key="k")).id == "1"
    assert (await service.submit("2", key="k")).id == "1"
    assert await service.ask(CheckCaller("default", "k")) == Rate(1, 0, 60)
    with pytest.raises(Conflict, match="This Idempotency-Key was used with a different request"):
        await service.orchestrator.bound(Binding("k", "another request"))
    with pytest.raises(QuotaExceeded, match="You may start 1 tasks a minute, and have done so"):
        await service.ask(CheckCaller("default", "another key"))


async def test_a_restart_forgets_no_task_in_flight_nor_the_last_minute() -> None:
    """Both are read off the journal."""
    journal = MemoryJournal()
    before = Service(limited(tasks_in_flight=2, tasks_per_minute=3), journal)
    await before.submit("1")
    await end_of(before.orchestrator, "1")
    before.hold.clear()
    await before.submit("2")
    after = Service(limited(tasks_in_flight=2, tasks_per_minute=3), journal)
    after.hold.clear()
    await after.orchestrator.recover()
    assert after.orchestrator.callers.in_flight() == {"default": 1}
    assert after.orchestrator.callers.rate("default") == Rate(3, 1, 60)
    await after.submit("3")
    with pytest.raises(QuotaExceeded, match="You may start 3 tasks a minute, and have done so"):
        await after.submit("4")


@pytest.mark.parametrize("limit", ["tasks_in_flight", "tasks_per_minute", "spend_per_day"])
async def test_a_repetition_is_answered_to_a_name_that_was_shut_out(limit: str) -> None:
    """At any limit: its task was accepted before. Nothing else is."""
    journal = MemoryJournal()
    await Service({}, journal).submit("1", key="k")
    after = Service(limited(**{limit: 0}), journal)
    await after.orchestrator.recover()
    await after.ask(CheckCaller("default", "k"))
    assert (await after.submit("2", key="k")).id == "1"
    with pytest.raises(LimitReached):
        await after.submit("3", key="another key")


async def spend(service: Service, *task_ids: str) -> list[str]:
    """How tasks end that pay one after the other."""
    ends = []
    for task_id in task_ids:
        await service.submit(task_id)
        ended = await end_of(service.orchestrator, task_id)
        ends.append(ended.error.code.value if ended.error else "done")
    return ends


async def test_a_budget_ends_tasks_and_then_refuses_them() -> None:
    """What is left does not pay for the third; nothing is left only with an exact budget."""
    service = Service(limited(spend_per_day=0.1))
    assert await spend(service, "1", "2", "3") == ["done", "done", "budget_exceeded"]
    assert service.sent == 2
    exact = Service(limited(spend_per_day=0.08))
    assert await spend(exact, "1", "2") == ["done", "done"]
    with pytest.raises(BudgetUsedUp) as refused:
        await exact.submit("3")
    assert refused.value.retry_after == 86_400
    assert exact.watching.spendings == [("default", "model", Decimal("0.04"))] * 2


async def quiet(journal: Journal) -> None:
    """Lets all that was begun after a task's end be written."""
    for _ in range(3):
        await turns()
        await all_entries(journal)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_no_restart_forgets_what_was_spent(kind: str, tmp_path: Path) -> None:
    """Nor does the retention of tasks: here, one ended task is kept."""

    def opened() -> Journal:
        return memory if kind == "memory" else SqliteJournal(tmp_path / "journal")

    memory, clock = MemoryJournal(), Clock()
    settings = {**limited(spend_per_day=0.2), "retention": {"tasks": 1}}
    for life in range(3):
        journal = opened()
        service = Service(settings, journal, clock)
        await service.orchestrator.recover()
        assert service.orchestrator.callers.spent() == ({"default": Decimal("0.04") * life} if life else {})
        assert await spend(service, f"life {life}") == ["done"]
        clock.now += timedelta(hours=1)
        await quiet(journal)
        await journal.close()
    journal = opened()
    service = Service(settings, journal, clock)
    await service.orchestrator.recover()
    assert await spend(service, "a", "b") == ["done", "done"]
    with pytest.raises(BudgetUsedUp, match="for 24 hours is used up"):
        await service.submit("c")
    clock.now = AT + timedelta(hours=24)
    assert await spend(service, "d") == ["done"]
    clock.now = AT + timedelta(hours=49)
    await spend(service, "e", "f")  # what was kept for its money alone leaves the journal after its day
    await quiet(journal)
    assert sorted(e.task.id for e in await all_entries(journal) if not e.is_alone) == ["f"]
    assert sum(e.is_alone for e in await all_entries(journal)) <= 1
    await journal.close()


async def test_the_task_says_what_it_cost() -> None:
    """In money, beside the units."""
    service = Service(limited(spend_per_day=1))
    await service.submit("1")
    ended = await end_of(service.orchestrator, "1")
    assert (ended.charges, ended.amounts) == ((Charge("generate_background", "model", 1),), (Decimal("0.04"),))
    free = Service({"prices": {}})
    await free.submit("1")
    assert (await end_of(free.orchestrator, "1")).amounts == ()
