"""Orchestration: every accepted task ends, whatever becomes of its steps."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from deployments.errors import Conflict, ErrorCode, NotFound, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import CanvasSize
from deployments.settings import Deadlines, Settings
from deployments.tasks.entry import Entry, PaidSubmit
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import ANSWER_SECONDS
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator, patience_left, seconds_left
from deployments.tasks.record import Failure, Operation, Status, Task, now
from deployments.tasks.work import Outcome, OverlayJob, StepRequest, Work
from tests.tasks.in_process import AT, FakeStages, end_of, finish, orchestrator, task_and_work, turns
from tests.tasks.journals import BrokenJournal, SlowJournal

GENERATE, UPLOAD = StepId.GENERATE_BACKGROUND, StepId.UPLOAD


async def test_steps_run_in_order_each_with_its_status_shown() -> None:
    """And with what the steps before it have made; what the last one says is what the caller reads."""
    ran: list[tuple[str, Status, tuple[str, ...]]] = []

    async def run(request: StepRequest) -> Outcome:
        task = a.tasks.get("t")
        assert task is not None
        ran.append((request.step, task.status, request.work.notes))
        return request.work.noting((request.step,))

    a = orchestrator(run)
    accepted = await a.submit(*task_and_work())
    assert [moment.status for moment in accepted.timeline] == [Status.PENDING, Status.PROCESSING_AVATAR_MODEL]
    task = await end_of(a)
    assert ran == [
        (GENERATE, Status.PROCESSING_AVATAR_MODEL, ()),
        (UPLOAD, Status.UPLOADING_IMAGE, (GENERATE,)),
    ]
    assert (task.status, task.notes, task.attempts) == (Status.DONE, (GENERATE, UPLOAD), 1)


async def test_a_step_is_called_once_its_status_is_durable() -> None:
    """A caller may otherwise see it at work, and not see its status after a crash."""
    journal, ran = SlowJournal(), list[str]()

    async def run(request: StepRequest) -> Outcome:
        ran.append(request.step)
        return request.work

    a = orchestrator(run, journal)
    submitting = asyncio.create_task(a.submit(*task_and_work()))
    for expected in ([], [GENERATE], [GENERATE, UPLOAD]):
        await turns()
        assert ran == expected
        journal.let_one_through()
    await submitting
    assert (await end_of(a)).status is Status.DONE


async def test_after_a_failure_no_later_step_runs() -> None:
    """What a stage says is what the caller reads; it is not tried again."""
    ran = list[str]()

    async def run(request: StepRequest) -> Outcome:
        ran.append(request.step)
        return Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo.")

    a = orchestrator(run)
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert task.failure == (ErrorCode.NO_PERSON_FOUND, "Send another photo.")
    assert (task.attempts, ran) == (1, [GENERATE])


async def test_the_first_step_begins_with_acceptance() -> None:
    """Every write costs a sync of the disk: a task with its first step, one for each later step, and its end."""
    journal = BrokenJournal()
    a = orchestrator(finish, journal)
    assert (await a.submit(*task_and_work())).attempts == 1
    task = await end_of(a)
    assert (task.attempts, journal.writes) == (1, 3)


async def test_a_lost_step_is_run_again() -> None:
    """A call that raises was lost with its stage's process: the next attempt goes on at the same step."""
    ran = list[tuple[str, int]]()

    async def run(request: StepRequest) -> Outcome:
        ran.append((request.step, request.attempt))
        if ran == [(GENERATE, 1), (UPLOAD, 1)]:
            raise ConnectionError("the replica died")
        return request.work

    a = orchestrator(run)
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert ran == [(GENERATE, 1), (UPLOAD, 1), (UPLOAD, 2)]
    assert (task.status, task.attempts) == (Status.DONE, 2)


async def test_after_a_restart_the_attempts_before_it_are_called_off() -> None:
    """Stages outlive the actor, and what they do for it."""

    async def run(_: StepRequest) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    journal = MemoryJournal()
    await orchestrator(run, journal).submit(*task_and_work())
    await turns()
    after = orchestrator(run, journal)
    await after.recover()
    assert (await after.called_off.since(None, 0)).items == [("t", 1)]


async def test_a_task_that_fails_keeps_what_its_steps_have_noted() -> None:
    """Such as which engines were passed over."""

    async def run(request: StepRequest) -> Outcome:
        if request.step == UPLOAD:
            return Failure(ErrorCode.UPLOAD_FAILED, "The store refused it.")
        return request.work.noting(("fal was passed over.",))

    a = orchestrator(run)
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert (task.status, task.notes) == (Status.ERROR, ("fal was passed over.",))


def test_a_caller_waits_for_so_long_at_most() -> None:
    """Whatever the clock of the machine says that has heard it."""
    assert patience_left(AT + timedelta(seconds=3), AT) == 3
    assert patience_left(AT + timedelta(hours=1), AT) == ANSWER_SECONDS


async def test_a_lost_attempt_is_called_off() -> None:
    """Its stage may still be at work, with nobody to wait for it; an attempt that went well is not."""

    async def run(request: StepRequest) -> Outcome:
        if request.attempt == 1:
            raise ConnectionError("contact was lost")
        return request.work

    lost = list[Task]()
    a = orchestrator(run, on_lost=lost.append)
    await a.submit(*task_and_work())
    await end_of(a)
    assert (await a.called_off.since(None, 0)).items == [("t", 1)]
    assert [(task.id, task.attempts, task.status) for task in lost] == [("t", 1, Status.PROCESSING_AVATAR_MODEL)]


async def test_a_task_that_is_always_lost_ends_as_internal() -> None:
    """The number of attempts is bounded, and the message says nothing of the cause."""

    async def run(_request: StepRequest) -> Outcome:
        raise RuntimeError("secret")

    a = orchestrator(run, attempts=2)
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert task.failure is not None
    assert task.failure.code is ErrorCode.INTERNAL
    assert "secret" not in task.failure.message
    assert task.attempts == 2


async def test_a_hung_run_ends_as_deadline_exceeded() -> None:
    """And then the run is cancelled: its stage asks whether the task has ended, and must hear that it has."""
    wanted = asyncio.Queue[bool]()

    async def run(request: StepRequest) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            wanted.put_nowait(a.paid_submits.is_wanted(request.task_id, request.attempt, gives_up=False))
        return request.work

    a = orchestrator(run, deadlines={"task_s": 0.01})
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert task.failure is not None
    assert task.failure.code is ErrorCode.DEADLINE_EXCEEDED
    assert await wanted.get() is False


async def test_an_accepted_task_is_accepted_once() -> None:
    """Accepting the same id again, after an answer that was lost, gives the same task and runs nothing twice."""
    runs = 0

    async def run(request: StepRequest) -> Outcome:
        nonlocal runs
        runs += 1
        return request.work

    a = orchestrator(run)
    await a.submit(*task_and_work())
    await end_of(a)
    assert (await a.submit(*task_and_work())).status is Status.DONE
    assert runs == 2, "one for each step"


async def test_lost_attempts_are_spaced_out() -> None:
    """Longer and longer, so that a service that is coming back is not stormed."""
    pauses: list[float] = []

    async def run(_request: StepRequest) -> Outcome:
        raise ConnectionError

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    a = Orchestrator(Settings.model_validate({"attempts": 6}), MemoryJournal(), FakeStages(run).send, sleep=sleep)
    await a.submit(*task_and_work())
    await end_of(a)
    assert pauses == [0.5, 1, 2, 4, 8, 8]


async def test_cancelling_ends_the_task_and_its_run() -> None:
    """At once; a task that has ended, or that nobody knows, cannot be cancelled."""
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return request.work

    a = orchestrator(run)
    await a.submit(*task_and_work())
    await running.wait()
    task = await a.cancel("t")
    assert task.failure is not None
    assert task.failure.code is ErrorCode.CANCELLED
    await cancelled.wait()
    assert a.tasks.get("t") == task
    with pytest.raises(Conflict, match="The task has already ended"):
        await a.cancel("t")
    with pytest.raises(NotFound, match="There is no such task"):
        await a.cancel("nobody")


async def test_a_call_that_comes_too_late_starts_nothing() -> None:
    """Its caller was told that the service is busy, and does not know of the task."""
    a = orchestrator(finish)
    task, work = task_and_work()
    with pytest.raises(Unavailable, match="The service was busy for too long"):
        await a.submit(task, work, until=now() - timedelta(seconds=1))
    assert a.tasks.get("t") is None
    await a.submit(task, work, until=now() + timedelta(minutes=1))
    assert (await end_of(a)).status is Status.DONE


async def test_an_interrupted_task_goes_on_from_its_last_finished_stage() -> None:
    """After a restart, with what the steps before it made, as the next attempt."""
    journal, hung = MemoryJournal(), asyncio.Event()

    async def hang(request: StepRequest) -> Outcome:
        if request.step == UPLOAD:
            hung.set()
            await asyncio.Event().wait()
        return request.work.carrying(Picture(data=b"png"), opaque=True)

    await orchestrator(hang, journal).submit(*task_and_work())
    await hung.wait()
    seen: list[StepRequest] = []

    async def go_on(request: StepRequest) -> Outcome:
        seen.append(request)
        return request.work

    lost = list[Task]()
    after_restart = orchestrator(go_on, journal, on_lost=lost.append)
    await after_restart.recover()
    assert [task.id for task in after_restart.in_flight] == ["t"]
    task = await end_of(after_restart)
    assert after_restart.in_flight == []
    assert [(one.attempts, one.status) for one in lost] == [(1, Status.UPLOADING_IMAGE)]
    assert [(one.attempt, one.step, one.work.done, one.work.picture) for one in seen] == [
        (2, str(UPLOAD), frozenset({str(GENERATE)}), Picture(data=b"png"))
    ]
    assert (task.status, task.attempts) == (Status.DONE, 2)


async def test_a_step_that_was_not_needed_stays_behind() -> None:
    """A person without background is not cut out of the finished overlay, although that is opaque."""
    overlay = OverlayJob("x", Picture(url="p"), Picture(url="b"), CanvasSize.SQUARE, 0, 0, 1, "https://w")
    task = replace(task_and_work()[0], operation=Operation.OVERLAY)
    ran: list[str] = []

    async def run(request: StepRequest) -> Outcome:
        ran.append(request.step)
        if request.step == UPLOAD and request.attempt == 1:
            raise ConnectionError("the replica died")
        return request.work.carrying(Picture(data=b"png"), opaque=request.step == StepId.OVERLAY)

    a = orchestrator(run)
    await a.submit(task, Work("t", overlay))
    assert (await end_of(a)).status is Status.DONE
    assert ran == [StepId.OPEN_PERSON, StepId.OVERLAY, UPLOAD, UPLOAD]


@pytest.mark.parametrize("place", ["done", "paid"])
async def test_a_step_that_this_version_does_not_know_ends_its_task(
    caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """As `internal`, with a log line that names it; the start goes on with the others."""
    journal = MemoryJournal()
    task, work = task_and_work("from elsewhere")
    foreign = {"enlarge"} if place == "done" else set()
    paid = {"enlarge": {"fal": PaidSubmit("token", "fal:request 1")}} if place == "paid" else {}
    await journal.write(Entry(task, paid=paid), replace(work, done=frozenset(foreign)))
    await journal.write(Entry(task_and_work("ours")[0]), task_and_work("ours")[1])
    a = orchestrator(finish, journal)
    with caplog.at_level(logging.ERROR, "deployments"):
        await a.recover()
        ended = await end_of(a, "from elsewhere")
    assert ended.failure is not None
    assert ended.failure.code is ErrorCode.INTERNAL
    assert "enlarge" in caplog.text
    assert (await end_of(a, "ours")).status is Status.DONE


@pytest.mark.parametrize(("asleep", "seconds"), [(-3600, 900), (0, 900), (100, 800), (86_400, 300)])
def test_the_deadline_survives_restarts_and_clocks_that_jump(asleep: float, seconds: float) -> None:
    """Counted from acceptance, at least a stage's time for an interrupted task, and never more than a task's time."""
    assert seconds_left(task_and_work()[0], Deadlines(), AT + timedelta(seconds=asleep)) == seconds
