"""The ledger: a task is durable before it is shown, and what cannot be written is refused, or waits."""

import asyncio
import gc
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.errors import Conflict, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Settings
from deployments.tasks.entry import Binding
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import AvatarJob, Outcome, StepRequest, Work
from tests.tasks.in_process import AT, FakeStages, end_of, finish, orchestrator, task_and_work
from tests.tasks.journals import BrokenJournal


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


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
async def test_a_wall_clock_that_jumps_forgets_nothing(jump: timedelta) -> None:
    """What is kept, and for how long, is counted by a clock that cannot be set."""
    clock = [AT]
    a = Orchestrator(Settings(), MemoryJournal(), FakeStages(finish).send, clock=lambda: clock[0])
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
