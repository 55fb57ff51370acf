"""Supervision: every accepted task ends, whatever its runs do."""

import asyncio
from datetime import UTC, datetime

import pytest

from deployments.errors import ErrorCode, Unavailable
from deployments.media.sizes import AspectRatio
from deployments.settings import Settings
from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.record import Failure, Operation, StaleWrite, Status, Task
from deployments.tasks.supervisor import Outcome, Run, Supervisor
from deployments.tasks.work import BackgroundJob, Work

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
    """And the run is cancelled."""
    cancelled = asyncio.Event()

    async def run(work: Work) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return work

    a = supervisor(run, deadlines={"task_s": 0.01})
    await a.accept(*task_and_work())
    task = await end_of(a)
    assert task.failure is not None
    assert task.failure.code is ErrorCode.DEADLINE_EXCEEDED
    assert cancelled.is_set()


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
