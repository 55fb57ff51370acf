"""Orchestration: every accepted task ends, whatever becomes of its steps."""

import asyncio
import gc
import logging
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.errors import Conflict, ErrorCode, NotFound, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.settings import Deadlines, Settings
from deployments.tasks.entry import Binding, Entry, PaidSubmit
from deployments.tasks.journal import JournalBroken, MemoryJournal
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator, seconds_left
from deployments.tasks.record import Failure, Operation, Status, now
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import AvatarJob, Outcome, OverlayJob, StepRequest, Work
from tests.tasks.in_process import AT, Stages, end_of, finish, orchestrator, task_and_work, turns

GENERATE, UPLOAD = StepId.GENERATE_BACKGROUND, StepId.UPLOAD


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


class SlowJournal(MemoryJournal):
    """Lets writes through one by one."""

    def __init__(self) -> None:
        super().__init__()
        self._let_through = asyncio.Semaphore(0)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self._let_through.acquire()
        await super().write(entry, work)

    def let_one_through(self) -> None:
        self._let_through.release()


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


async def test_a_lost_attempt_is_called_off() -> None:
    """Its stage may still be at work, with nobody to wait for it; an attempt that went well is not."""

    async def run(request: StepRequest) -> Outcome:
        if request.attempt == 1:
            raise ConnectionError("contact was lost")
        return request.work

    a = orchestrator(run)
    await a.submit(*task_and_work())
    await end_of(a)
    assert (await a.called_off.since(None, 0)).items == [("t", 1)]


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


async def test_too_many_tasks_are_refused_at_once() -> None:
    """Beyond the limit a new task is refused; as soon as one has ended, the next is taken."""
    release = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        await release.wait()
        return request.work

    a = orchestrator(run, limits={"tasks_in_flight": 1})
    await a.submit(*task_and_work("1"))
    with pytest.raises(Unavailable):
        await a.submit(*task_and_work("2"))
    assert a.tasks.get("2") is None
    release.set()
    await end_of(a, "1")
    await a.submit(*task_and_work("2"))
    assert (await end_of(a, "2")).status is Status.DONE


async def test_finished_tasks_are_forgotten_in_the_end() -> None:
    """At most so many finished tasks are kept, the newest; unfinished ones always."""
    held = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        if request.task_id == "old":
            await held.wait()
        return request.work

    a = orchestrator(run, retention={"tasks": 2})
    for task_id in ("old", "1", "2", "3"):
        await a.submit(*task_and_work(task_id))
        if task_id != "old":
            await end_of(a, task_id)
    assert [task_id for task_id in ("old", "1", "2", "3") if a.tasks.get(task_id)] == ["old", "2", "3"]
    held.set()
    assert (await end_of(a, "old")).status is Status.DONE


async def test_lost_attempts_are_spaced_out() -> None:
    """Longer and longer, so that a service that is coming back is not stormed."""
    pauses: list[float] = []

    async def run(_request: StepRequest) -> Outcome:
        raise ConnectionError

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    a = Orchestrator(Settings.model_validate({"attempts": 6}), MemoryJournal(), Stages(run).send, sleep=sleep)
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
    with pytest.raises(Conflict):
        await a.cancel("t")
    with pytest.raises(NotFound):
        await a.cancel("nobody")


async def test_a_call_that_comes_too_late_starts_nothing() -> None:
    """Its caller was told that the service is busy, and does not know of the task."""
    a = orchestrator(finish)
    task, work = task_and_work()
    with pytest.raises(Unavailable):
        await a.submit(task, work, until=now() - timedelta(seconds=1))
    assert a.tasks.get("t") is None
    await a.submit(task, work, until=now() + timedelta(minutes=1))
    assert (await end_of(a)).status is Status.DONE


async def test_an_idempotency_key_gives_the_same_task() -> None:
    """Also at the same moment, and after a restart; another request with the same key is a conflict."""
    journal = MemoryJournal()
    a = orchestrator(finish, journal)
    binding = Binding("key", "request")
    first, second = await asyncio.gather(a.submit(*task_and_work("1"), binding), a.submit(*task_and_work("2"), binding))
    assert (first.id, second.id, a.tasks.get("2")) == ("1", "1", None)
    await end_of(a, "1")
    after_restart = orchestrator(finish, journal)
    await after_restart.recover()
    assert (await after_restart.submit(*task_and_work("3"), binding)).id == "1"
    bound = await after_restart.bound(binding)
    assert bound is not None
    assert bound.status is Status.DONE
    with pytest.raises(Conflict):
        await after_restart.submit(*task_and_work("4"), Binding("key", "other request"))
    assert (await after_restart.submit(*task_and_work("5"), Binding("other key", "request"))).id == "5"


async def test_a_task_that_cannot_be_recorded_is_refused() -> None:
    """It does not exist, binds no idempotency key, and takes no place; the next one is taken."""
    a = orchestrator(finish, BrokenJournal(1), limits={"tasks_in_flight": 1})
    binding = Binding("key", "request")
    with pytest.raises(Unavailable):
        await a.submit(*task_and_work("1"), binding)
    assert a.tasks.get("1") is None
    assert (await a.submit(*task_and_work("2"), binding)).id == "2"
    assert (await end_of(a, "2")).status is Status.DONE


async def test_a_change_that_cannot_be_recorded_is_not_lost() -> None:
    """An accepted task waits until the journal works again."""
    journal = BrokenJournal(2, 3)
    a = orchestrator(finish, journal)
    await a.submit(*task_and_work())
    assert (await end_of(a)).status is Status.DONE
    assert journal.writes == 3 + 2


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

    after_restart = orchestrator(go_on, journal)
    await after_restart.recover()
    task = await end_of(after_restart)
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
    paid = {"enlarge": PaidSubmit("token", "request 1")} if place == "paid" else {}
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


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
async def test_a_wall_clock_that_jumps_forgets_nothing(jump: timedelta) -> None:
    """What is kept, and for how long, is counted by a clock that cannot be set."""
    clock = [AT]
    a = Orchestrator(Settings(), MemoryJournal(), Stages(finish).send, clock=lambda: clock[0])
    await a.submit(*task_and_work("1"))
    await end_of(a, "1")
    clock[0] += jump
    await a.submit(*task_and_work("2"))
    await end_of(a, "2")
    assert a.tasks.get("1") is not None


async def test_photos_leave_memory_once_the_stages_have_them(tmp_path: Path) -> None:
    """They are in the journal, for another attempt; ten thousand tasks in flight must not hold them all."""
    photo, began, journal = bytes(range(256)), asyncio.Event(), SqliteJournal(tmp_path / "journal.sqlite3")

    async def run(request: StepRequest) -> Outcome:
        del request
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def submit() -> None:
        job = AvatarJob("a pilot", (Picture(data=photo),), AspectRatio.SQUARE, "https://w")
        await a.submit(task_and_work()[0], Work("t", job))

    a, before = orchestrator(run, journal), sys.getrefcount(photo)
    await submit()
    await began.wait()
    await journal.read()  # the journal's thread lets go of what it wrote when it takes up the next
    gc.collect()
    assert sys.getrefcount(photo) == before
    await a.cancel("t")
    await journal.close()
