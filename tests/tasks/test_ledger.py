"""The ledger: a task is durable before it is shown, and what cannot be written is refused, or waits."""

import asyncio
import gc
import sys
import weakref
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.errors import Conflict, ErrorCode, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Settings
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Failure, Moment, Operation, Status, Task, now
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.webhook import Webhook
from deployments.tasks.work import AvatarJob, Outcome, StepRequest, Work
from tests.tasks.deliveries import URL, Receivers
from tests.tasks.entries import all_entries
from tests.tasks.in_process import AT, FakeStages, end_of, finish, no_sleep, orchestrator, task_and_work, turns
from tests.tasks.journals import BrokenJournal, DisownedJournal, LateJournal, SlowJournal, UnsureJournal


async def test_too_many_tasks_are_refused_at_once() -> None:
    """Beyond the limit a new task is refused; as soon as one has ended, the next is taken."""
    release = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        await release.wait()
        return request.work

    a = orchestrator(run, limits={"tasks_in_flight": 1})
    await a.submit(*task_and_work("1"))
    with pytest.raises(Unavailable, match="Too many tasks are in flight"):
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
    with pytest.raises(Conflict, match="This Idempotency-Key was used with a different request"):
        await after_restart.submit(*task_and_work("4"), Binding("key", "other request"))
    assert (await after_restart.submit(*task_and_work("5"), Binding("other key", "request"))).id == "5"


async def test_a_task_that_cannot_be_recorded_is_refused() -> None:
    """It does not exist, binds no idempotency key, and takes no place; the next one is taken."""
    a = orchestrator(finish, BrokenJournal(1), limits={"tasks_in_flight": 1})
    binding = Binding("key", "request")
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
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


@pytest.mark.parametrize("does_it", [True, False])
async def test_a_write_of_unknown_outcome_is_repeated_until_it_is_certain(*, does_it: bool) -> None:
    """Also where the repetition is refused at first: the task may be in the journal already. It runs once."""
    runs: list[str] = []

    async def run(request: StepRequest) -> Outcome:
        runs.append(request.step)
        return request.work

    journal = UnsureJournal(1, does_them=does_it, refused=(2, 3))
    a = orchestrator(run, journal)
    assert (await a.submit(*task_and_work())).status is Status.PROCESSING_AVATAR_MODEL
    assert (await end_of(a)).status is Status.DONE
    assert runs == ["generate_background", "upload"]
    assert [kept.task.id for kept in await all_entries(journal)] == ["t"]


async def test_a_repetition_finds_a_task_whose_write_is_unknown() -> None:
    """The caller is answered 503 in time, and its key stays bound: there is one task, which goes on."""
    journal, binding, soon = SlowJournal(), Binding("key", "request"), now() + timedelta(seconds=0.2)
    a = orchestrator(finish, journal)
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
        await a.submit(*task_and_work("1"), binding, soon)
    assert a.tasks.get("1") is None
    repeated = asyncio.create_task(a.submit(*task_and_work("2"), binding))
    await turns()
    assert not repeated.done()
    for _ in range(3):
        journal.let_one_through()
    assert (await repeated).id == "1"
    assert (await end_of(a, "1")).status is Status.DONE
    assert [kept.task.id for kept in await all_entries(journal)] == ["1"]


async def test_a_task_without_a_key_is_not_begun_once_its_caller_was_refused() -> None:
    """Nobody could find it: the caller sends its request again, which is another task."""
    journal = SlowJournal()
    a = orchestrator(finish, journal, limits={"tasks_in_flight": 1})
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
        await a.submit(*task_and_work("1"), None, now() + timedelta(seconds=0.2))
    journal.let_one_through()
    await turns()
    assert await a.get("1") is None
    assert await all_entries(journal) == []
    for _ in range(3):
        journal.let_one_through()
    await a.submit(*task_and_work("2"))
    assert (await end_of(a, "2")).status is Status.DONE


async def test_a_journal_that_goes_to_another_owner_refuses_at_once() -> None:
    """Nothing was written, and this process will never write."""
    journal = DisownedJournal()
    a = orchestrator(finish, journal)
    with pytest.raises(Unavailable, match="The service cannot record new tasks at the moment"):
        await a.submit(*task_and_work(), Binding("key", "request"))
    assert await a.bound(Binding("key", "request")) is None


async def test_pictures_in_flight_are_bounded() -> None:
    """Beyond the limit a task that brings photos is refused, and one with URLs is taken."""
    release = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        await release.wait()
        return request.work.without_photos()

    def with_photo(task_id: str) -> tuple[Task, Work]:
        job = AvatarJob("x", (Picture(data=bytes(60)),), AspectRatio.SQUARE, "https://w")
        return replace(task_and_work(task_id)[0], operation=Operation.AVATAR), Work(task_id, job)

    journal = MemoryJournal()
    a = orchestrator(run, journal, limits={"picture_bytes_in_flight": 100})
    await a.submit(*with_photo("1"))
    for service in (a, restarted := orchestrator(run, journal, limits={"picture_bytes_in_flight": 100})):
        if service is restarted:
            await restarted.recover()
        with pytest.raises(Unavailable, match="pictures"):
            await service.submit(*with_photo("2"))
        await service.submit(*task_and_work("3"))
    release.set()
    await end_of(a, "1")
    await a.submit(*with_photo("4"))


async def test_tasks_go_on_before_those_that_have_ended_are_read() -> None:
    """Those can be asked for at once, their keys find them, and in the end the oldest are forgotten."""
    disk = MemoryJournal()
    before = orchestrator(finish, disk)
    for task_id in ("1", "2", "3"):
        await before.submit(*task_and_work(task_id), Binding(f"key {task_id}", "request"))
        await end_of(before, task_id)
    await disk.write(Entry(task_and_work("new")[0].attempted()), task_and_work("new")[1])
    journal = LateJournal(disk)
    a = orchestrator(finish, journal, retention={"tasks": 3})
    await a.recover()
    assert (await end_of(a, "new")).status is Status.DONE
    assert a.tasks.get("1") is None
    found = await a.get("1")
    assert found is not None
    assert found.status is Status.DONE
    assert await a.get("never there") is None
    bound = asyncio.create_task(a.bound(Binding("key 3", "request")))
    await turns()
    assert not bound.done()
    journal.show.set()
    assert (kept := await bound) is not None
    assert kept.id == "3"
    await turns()
    assert [task_id for task_id in ("1", "2", "3", "new") if await a.get(task_id)] == ["2", "3", "new"]
    assert sorted(left.task.id for left in await all_entries(disk)) == ["2", "3", "new"]


async def test_a_question_by_key_does_not_wait_long_for_those_that_have_ended() -> None:
    """Status reads may share its message, and would wait as well."""
    a = orchestrator(finish, LateJournal(MemoryJournal()))
    await a.recover()
    with pytest.raises(Unavailable, match="The service is still reading its tasks"):
        await a.bound(Binding("key", "request"))


async def test_retention_ends_although_no_task_does() -> None:
    """An idle service forgets, too."""
    disk = MemoryJournal()
    a = orchestrator(finish, disk, retention={"hours": 1e-5})
    await a.recover()
    await a.submit(*task_and_work(), Binding("key", "request"))
    await end_of(a)
    async with asyncio.timeout(10):
        while a.tasks.get("t") is not None or await all_entries(disk):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)
    assert await a.bound(Binding("key", "another request")) is None


async def test_ended_tasks_are_read_however_often_the_journal_breaks() -> None:
    """Each is there once."""
    disk = MemoryJournal()
    before = orchestrator(finish, disk)
    await before.submit(*task_and_work(), Binding("key", "request"))
    await end_of(before)
    journal = LateJournal(disk, breaks=2)
    journal.show.set()
    a = orchestrator(finish, journal)
    await a.recover()
    bound = await a.bound(Binding("key", "request"))
    assert bound is not None
    assert a.tasks.by_status[Status.DONE] == 1


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
    await all_entries(journal)  # the journal's thread lets go of what it wrote when it takes up the next
    gc.collect()
    assert sys.getrefcount(photo) == before
    await a.cancel("t")
    await journal.close()


async def test_photos_of_a_task_that_is_refused_leave_memory(caplog: pytest.LogCaptureFixture) -> None:
    """At once, and not when garbage is searched for: while the journal is away, there may be many."""
    caplog.set_level("CRITICAL")  # pytest's own records hold the error, with its frames
    journal = BrokenJournal(1)
    a = orchestrator(finish, journal)

    async def refused() -> weakref.ref[Work]:
        task, work = task_and_work()
        with suppress(Unavailable):
            await a.submit(task, work)
        return weakref.ref(work)

    gc.disable()
    try:
        held = await refused()
        assert journal.writes == 1
        assert held() is None
    finally:
        gc.enable()


async def test_an_idempotency_key_is_the_newest_tasks() -> None:
    """An older one, whose time is over, may still be in the journal where the process died before it was forgotten."""
    journal = MemoryJournal()
    binding = Binding("key", "request")
    for hours, task_id in ((25, "older"), (1, "newer"), (26, "oldest")):
        at = now() - timedelta(hours=hours)
        task = replace(task_and_work(task_id)[0], timeline=(Moment(Status.PENDING, at),))
        await journal.write(Entry(task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), at), binding))
    a = orchestrator(finish, journal)
    await a.recover()
    await turns()
    assert [task.id for task in a.tasks.newest_ends()] == ["newer"]
    bound = await a.bound(binding)
    assert bound is not None
    assert bound.id == "newer"


async def test_an_idempotency_key_is_the_running_tasks() -> None:
    journal = MemoryJournal()
    binding = Binding("key", "request")
    at = now() - timedelta(hours=25)
    ended = replace(task_and_work("ended")[0], timeline=(Moment(Status.PENDING, at),))
    await journal.write(Entry(ended.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), at), binding))
    task, work = task_and_work("running")
    await journal.write(Entry(task.attempted(), binding), work)
    release = asyncio.Event()

    async def run(request: StepRequest) -> Outcome:
        await release.wait()
        return request.work

    a = orchestrator(run, journal)
    await a.recover()
    await turns()
    assert (await a.submit(*task_and_work("third"), binding)).id == "running"
    release.set()
    await end_of(a, "running")


async def test_a_change_that_is_written_too_late_brings_no_forgotten_task_back(tmp_path: Path) -> None:
    """Neither into memory nor into the journal, where its key may be another task's by then."""
    journal = HeldBack(tmp_path / "journal.sqlite3")
    settings = Settings.model_validate({"retention": {"tasks": 1}})
    receivers = Receivers()
    receivers.answer = lambda _: None
    stages = FakeStages(finish)
    a = stages.orchestrator = Orchestrator(settings, journal, stages.send, deliver=receivers.take, sleep=no_sleep)
    await a.recover()
    task, work = task_and_work("t")
    await a.submit(replace(task, webhook=Webhook()), replace(work, webhook_url=URL))
    await end_of(a)
    await turns()
    journal.may_write.clear()
    receivers.let_go("t", 500)
    await journal.asked.wait()
    await a.submit(*task_and_work("newer"))
    await end_of(a, "newer")
    journal.may_write.set()
    for _ in range(1000):
        if not len(a.webhooks):
            break
        await asyncio.sleep(0.01)
    assert (a.tasks.get("t"), [entry.task.id for entry in await all_entries(journal)]) == (None, ["newer"])
    await journal.close()


class HeldBack(SqliteJournal):
    """Holds back writes about task `t` until `may_write`; `asked` is set once there is one that waits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.may_write, self.asked = asyncio.Event(), asyncio.Event()
        self.may_write.set()

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        if entry.task.id == "t" and not self.may_write.is_set():
            self.asked.set()
            await self.may_write.wait()
        await super().write(entry, work)
