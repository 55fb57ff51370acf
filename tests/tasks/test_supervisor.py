"""Supervision: every accepted task ends, whatever its runs do."""

import asyncio
import gc
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.errors import Conflict, ErrorCode, NotFound, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Settings
from deployments.tasks.attempt import Outcome
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.journal import Journal, JournalBroken, MemoryJournal
from deployments.tasks.record import Failure, Operation, StaleWrite, Status, Task, now
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.supervisor import Run, Supervisor
from deployments.tasks.work import AvatarJob, BackgroundJob, Work

AT = datetime(2026, 1, 1, tzinfo=UTC)


def task_and_work(task_id: str = "t") -> tuple[Task, Work]:
    task = Task.accepted(
        task_id=task_id, avatar_id="a", operation=Operation.BACKGROUND, read_url="https://r", engine="local", at=AT
    )
    return task, Work(task_id, BackgroundJob("a sea", AspectRatio.SQUARE, "https://w"))


async def no_sleep(_: float) -> None:
    pass


def supervisor(run: Run, journal: Journal | None = None, **settings: object) -> Supervisor:
    return Supervisor(Settings.model_validate(settings), journal or MemoryJournal(), run, sleep=no_sleep)


async def end_of(a: Supervisor, task_id: str = "t") -> Task:
    seen = a.tasks.get(task_id)
    while seen is not None and not seen.is_ended:
        seen = await a.tasks.changed(task_id, seen)
    assert seen is not None
    return seen


async def test_a_run_that_returns_ends_its_task_as_done() -> None:
    """The notes of the work come along."""

    async def run(work: Work) -> Outcome:
        return Work(work.task_id, work.job, notes=("It was fun.",))

    a = supervisor(run)
    assert (await a.accept(*task_and_work())).status is Status.PENDING
    task = await end_of(a)
    assert task.status is Status.DONE
    assert (task.notes, task.attempts) == (("It was fun.",), 1)


async def test_the_first_attempt_begins_with_acceptance() -> None:
    """Every write costs a sync of the disk: a new task is written once, and then its end."""
    attempts, journal = list[int](), BrokenJournal()

    async def run(work: Work) -> Outcome:
        attempts.append(work.attempt)
        return work

    a = supervisor(run, journal)
    assert (await a.accept(*task_and_work())).attempts == 1
    task = await end_of(a)
    assert (attempts, task.attempts, journal.writes) == ([1], 1, 2)


async def test_a_failure_ends_its_task_with_its_code() -> None:
    """What a stage says is what the caller reads; it is not tried again."""

    async def run(_work: Work) -> Outcome:
        return Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo.")

    a = supervisor(run)
    await a.accept(*task_and_work())
    task = await end_of(a)
    assert task.failure == (ErrorCode.NO_PERSON_FOUND, "Send another photo.")
    assert task.attempts == 1


async def test_a_lost_run_is_started_again() -> None:
    """A run that raises was lost with its process: the next attempt finishes the task."""
    attempts: list[int] = []

    async def run(work: Work) -> Outcome:
        attempts.append(work.attempt)
        if work.attempt == 1:
            raise ConnectionError("the replica died")
        return work

    a = supervisor(run)
    await a.accept(*task_and_work())
    task = await end_of(a)
    assert (task.status, attempts, task.attempts) == (Status.DONE, [1, 2], 2)


async def test_a_task_that_is_always_lost_ends_as_internal() -> None:
    """The number of attempts is bounded, and the message says nothing of the cause."""

    async def run(_work: Work) -> Outcome:
        raise RuntimeError("secret")

    a = supervisor(run, attempts=2)
    await a.accept(*task_and_work())
    task = await end_of(a)
    assert task.failure is not None
    assert task.failure.code is ErrorCode.INTERNAL
    assert "secret" not in task.failure.message
    assert task.attempts == 2


async def test_a_hung_run_ends_as_deadline_exceeded() -> None:
    """And then the run is cancelled: its stage asks whether the task has ended, and must hear that it has."""
    wanted = asyncio.Queue[bool]()

    async def run(work: Work) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            wanted.put_nowait(await a.paid_submits.is_wanted(work.task_id, work.attempt, gives_up=False))
        return work

    a = supervisor(run, deadlines={"task_s": 0.01})
    await a.accept(*task_and_work())
    task = await end_of(a)
    assert task.failure is not None
    assert task.failure.code is ErrorCode.DEADLINE_EXCEEDED
    assert await wanted.get() is False


async def test_an_accepted_task_is_accepted_once() -> None:
    """Accepting the same id again, after an answer that was lost, gives the same task and runs nothing twice."""
    runs = 0

    async def run(work: Work) -> Outcome:
        nonlocal runs
        runs += 1
        return work

    a = supervisor(run)
    await a.accept(*task_and_work())
    await end_of(a)
    assert (await a.accept(*task_and_work())).status is Status.DONE
    assert runs == 1


async def test_too_many_tasks_are_refused_at_once() -> None:
    """Beyond the limit a new task is refused; as soon as one has ended, the next is taken."""
    release = asyncio.Event()

    async def run(work: Work) -> Outcome:
        await release.wait()
        return work

    a = supervisor(run, limits={"tasks_in_flight": 1})
    await a.accept(*task_and_work("1"))
    with pytest.raises(Unavailable):
        await a.accept(*task_and_work("2"))
    assert a.tasks.get("2") is None
    release.set()
    await end_of(a, "1")
    await a.accept(*task_and_work("2"))
    assert (await end_of(a, "2")).status is Status.DONE


async def test_a_stale_attempt_cannot_write() -> None:
    """Once a new attempt runs, the status that the older one reports is refused."""
    second = asyncio.Event()

    async def run(work: Work) -> Outcome:
        if work.attempt == 1:
            raise ConnectionError
        second.set()
        await asyncio.Event().wait()
        raise AssertionError

    a = supervisor(run)
    await a.accept(*task_and_work())
    await second.wait()
    await a.advance("t", 2, Status.PROCESSING_AVATAR_MODEL)
    with pytest.raises(StaleWrite):
        await a.advance("t", 1, Status.UPLOADING_IMAGE)
    task = a.tasks.get("t")
    assert task is not None
    assert task.status is Status.PROCESSING_AVATAR_MODEL


async def test_finished_tasks_are_forgotten_in_the_end() -> None:
    """At most so many finished tasks are kept, the newest; unfinished ones always."""
    held = asyncio.Event()

    async def run(work: Work) -> Outcome:
        if work.task_id == "old":
            await held.wait()
        return work

    a = supervisor(run, retention={"tasks": 2})
    for task_id in ("old", "1", "2", "3"):
        await a.accept(*task_and_work(task_id))
        if task_id != "old":
            await end_of(a, task_id)
    assert [task_id for task_id in ("old", "1", "2", "3") if a.tasks.get(task_id)] == ["old", "2", "3"]
    held.set()
    assert (await end_of(a, "old")).status is Status.DONE


async def test_lost_attempts_are_spaced_out() -> None:
    """Longer and longer, so that a service that is coming back is not stormed."""
    pauses: list[float] = []

    async def run(_work: Work) -> Outcome:
        raise ConnectionError

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    a = Supervisor(Settings.model_validate({"attempts": 6}), MemoryJournal(), run, sleep=sleep)
    await a.accept(*task_and_work())
    await end_of(a)
    assert pauses == [0.5, 1, 2, 4, 8, 8]


async def test_cancelling_ends_the_task_and_its_run() -> None:
    """At once; a task that has ended, or that nobody knows, cannot be cancelled."""
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def run(work: Work) -> Outcome:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return work

    a = supervisor(run)
    await a.accept(*task_and_work())
    await running.wait()
    task = await a.cancel("t")
    assert task.failure is not None
    assert task.failure.code is ErrorCode.CANCELLED
    await cancelled.wait()
    assert a.tasks.get("t") == task
    with pytest.raises(Conflict):
        await a.cancel("t")
    with pytest.raises(NotFound):
        await a.cancel("nobody")


async def finish(work: Work) -> Outcome:
    return work


async def test_a_call_that_comes_too_late_starts_nothing() -> None:
    """Its caller was told that the service is busy, and does not know of the task."""
    a = supervisor(finish)
    task, work = task_and_work()
    with pytest.raises(Unavailable):
        await a.accept(task, work, until=now() - timedelta(seconds=1))
    assert a.tasks.get("t") is None
    await a.accept(task, work, until=now() + timedelta(minutes=1))
    assert (await end_of(a)).status is Status.DONE


async def test_an_idempotency_key_gives_the_same_task() -> None:
    """Also at the same moment, and after a restart; another request with the same key is a conflict."""
    journal = MemoryJournal()
    a = supervisor(finish, journal)
    binding = Binding("key", "request")
    first, second = await asyncio.gather(a.accept(*task_and_work("1"), binding), a.accept(*task_and_work("2"), binding))
    assert (first.id, second.id, a.tasks.get("2")) == ("1", "1", None)
    await end_of(a, "1")
    after_restart = supervisor(finish, journal)
    await after_restart.recover()
    assert (await after_restart.accept(*task_and_work("3"), binding)).id == "1"
    bound = await after_restart.bound(binding)
    assert bound is not None
    assert bound.status is Status.DONE
    with pytest.raises(Conflict):
        await after_restart.accept(*task_and_work("4"), Binding("key", "other request"))
    assert (await after_restart.accept(*task_and_work("5"), Binding("other key", "request"))).id == "5"


class BrokenJournal(MemoryJournal):
    """Refuses the writes whose numbers are given, counted from 1."""

    def __init__(self, *refused: int) -> None:
        super().__init__()
        self._refused = refused
        self.writes = 0

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        self.writes += 1
        if self.writes in self._refused:
            raise JournalBroken("the disk is full")
        await super().write(entry, work)


async def test_a_task_that_cannot_be_recorded_is_refused() -> None:
    """It does not exist, binds no idempotency key, and takes no place; the next one is taken."""
    a = supervisor(finish, BrokenJournal(1), limits={"tasks_in_flight": 1})
    binding = Binding("key", "request")
    with pytest.raises(Unavailable):
        await a.accept(*task_and_work("1"), binding)
    assert a.tasks.get("1") is None
    assert (await a.accept(*task_and_work("2"), binding)).id == "2"
    assert (await end_of(a, "2")).status is Status.DONE


async def test_a_change_that_cannot_be_recorded_is_not_lost() -> None:
    """An accepted task waits until the journal works again."""
    journal = BrokenJournal(2, 3, 4)
    a = supervisor(finish, journal)
    await a.accept(*task_and_work())
    assert (await end_of(a)).status is Status.DONE
    assert journal.writes == 2 + 3


async def test_an_interrupted_task_goes_on_from_its_last_finished_stage() -> None:
    """After a restart, with what the stages before it made, as the next attempt."""
    journal, hung = MemoryJournal(), asyncio.Event()
    a: Supervisor

    async def hang(work: Work) -> Outcome:
        done = replace(work.carrying(Picture(data=b"png"), opaque=True), done=1)
        await a.advance(work.task_id, work.attempt, Status.UPLOADING_IMAGE, done)
        hung.set()
        await asyncio.Event().wait()
        return work

    a = supervisor(hang, journal)
    await a.accept(*task_and_work())
    await hung.wait()
    seen: list[Work] = []

    async def go_on(work: Work) -> Outcome:
        seen.append(work)
        return work

    after_restart = supervisor(go_on, journal)
    await after_restart.recover()
    task = await end_of(after_restart)
    assert [(work.attempt, work.done, work.picture) for work in seen] == [(2, 1, Picture(data=b"png"))]
    assert (task.status, task.attempts) == (Status.DONE, 2)


@pytest.mark.parametrize(("asleep", "seconds"), [(-3600, 900), (0, 900), (100, 800), (86_400, 300)])
async def test_the_deadline_survives_restarts_and_clocks_that_jump(
    monkeypatch: pytest.MonkeyPatch, asleep: float, seconds: float
) -> None:
    """Counted from acceptance, at least a stage's time for an interrupted task, and never more than a task's time."""
    journal, left = MemoryJournal(), []
    await journal.write(Entry(task_and_work()[0]), task_and_work()[1])
    a = Supervisor(Settings(), journal, finish, clock=lambda: AT + timedelta(seconds=asleep))

    waiting = asyncio.wait

    async def wait(runs: set[asyncio.Task[Outcome]], **until: float) -> object:
        left.append(until["timeout"])
        return await waiting(runs)

    monkeypatch.setattr(asyncio, "wait", wait)
    await a.recover()
    await end_of(a)
    assert left == [seconds]


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
async def test_a_wall_clock_that_jumps_forgets_nothing(jump: timedelta) -> None:
    """What is kept, and for how long, is counted by a clock that cannot be set."""
    clock = [AT]
    a = Supervisor(Settings(), MemoryJournal(), finish, clock=lambda: clock[0])
    await a.accept(*task_and_work("1"))
    await end_of(a, "1")
    clock[0] += jump
    await a.accept(*task_and_work("2"))
    await end_of(a, "2")
    assert a.tasks.get("1") is not None


async def test_photos_leave_memory_once_the_stages_have_them(tmp_path: Path) -> None:
    """They are in the journal, for another attempt; ten thousand tasks in flight must not hold them all."""
    photo, began, journal = bytes(range(256)), asyncio.Event(), SqliteJournal(tmp_path / "journal.sqlite3")

    async def run(work: Work) -> Outcome:
        del work
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def submit() -> None:
        job = AvatarJob("a pilot", (Picture(data=photo),), AspectRatio.SQUARE, "https://w")
        await a.accept(task_and_work()[0], Work("t", job))

    a, before = supervisor(run, journal), sys.getrefcount(photo)
    await submit()
    await began.wait()
    await journal.read()  # the journal's thread lets go of what it wrote when it takes up the next
    gc.collect()
    assert sys.getrefcount(photo) == before
    await a.cancel("t")
    await journal.close()
