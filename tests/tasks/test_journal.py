"""The journal, in each place that it can be: what was written is there again, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.postgres_journal import PostgresJournal
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import BackgroundJob, OverlayJob, Work
from tests.tasks.entries import all_entries, ended, entry, work

Open = Callable[[], Awaitable[Journal]]


@pytest.fixture(params=["sqlite", "redis", "postgres", "memory"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the same journal again and again, each time as a new process would."""
    url = request.getfixturevalue(f"{request.param}_url") if request.param in {"redis", "postgres"} else ""
    memory = MemoryJournal()
    current: list[Journal] = []

    async def open_again() -> Journal:
        match request.param:
            case "sqlite":
                current.append(SqliteJournal(tmp_path / "journal.sqlite3"))
            case "redis":
                current.append(RedisJournal(url, "app"))
            case "postgres":
                current.append(PostgresJournal(url, "app"))
            case _:
                current.append(memory)
        assert (await current[-1].take("cluster", 60)).is_mine
        return current[-1]

    yield open_again
    for journal in current:
        await journal.close()


async def test_a_new_journal_is_empty(opened: Open) -> None:
    """It knows no task."""
    assert await all_entries(await opened()) == []


async def test_what_was_written_is_there_again(opened: Open) -> None:
    """To the byte, after the journal was closed and opened."""
    journal = await opened()
    for task_id in ("b", "a"):
        await journal.write(entry(task_id), work(task_id))
    await journal.close()
    journal = await opened()
    assert sorted(await all_entries(journal), key=lambda known: known.task.id) == [entry("a"), entry("b")]
    assert await journal.read_work("a") == work("a")
    assert await journal.read_entry("b") == entry("b")
    assert (await journal.read_entry("nobody"), await journal.read_work("nobody")) == (None, None)


@pytest.mark.parametrize(
    "job",
    [
        BackgroundJob("a sea", AspectRatio.TALL, "https://w"),
        OverlayJob("x", Picture(url="u"), Picture(data=b"1"), CanvasSize.SQUARE, -1.5, 1e300, 0.25, "https://w"),
    ],
)
async def test_every_kind_of_job_comes_back(opened: Open, job: BackgroundJob | OverlayJob) -> None:
    """As what it was."""
    journal = await opened()
    await journal.write(entry("a"), Work("a", job))
    assert await journal.read_work("a") == Work("a", job)


async def test_newer_work_replaces_older(opened: Open) -> None:
    """And a write without work leaves it as it is."""
    journal = await opened()
    await journal.write(entry("a"), work("a"))
    newer = work("a").without_photos().carrying(Picture(data=b"png"), opaque=False)
    await journal.write(entry("a"), newer)
    await journal.write(entry("a"))
    assert await journal.read_work("a") == newer


async def test_with_its_end_a_task_needs_no_work(opened: Open) -> None:
    """Its entry stays, its photos go."""
    journal = await opened()
    await journal.write(entry("a"), work("a"))
    await journal.write(ended("a"))
    assert await all_entries(journal) == [ended("a")]
    assert await journal.read_work("a") is None


async def test_what_is_forgotten_is_gone(opened: Open) -> None:
    """And only that."""
    journal = await opened()
    for task_id in ("a", "b"):
        await journal.write(entry(task_id), work(task_id))
    await journal.forget(["a", "never there"])
    assert [known.task.id for known in await all_entries(journal)] == ["b"]


async def test_a_touch_changes_nothing(opened: Open) -> None:
    """It is a write all the same: see the tests of each journal."""
    journal = await opened()
    await journal.write(entry("a"), work("a"))
    await journal.touch()
    await journal.close()
    journal = await opened()
    assert (await all_entries(journal), await journal.read_work("a")) == ([entry("a")], work("a"))


async def test_many_writes_at_once_are_all_kept(opened: Open) -> None:
    """They share commits, and each returns once its own is durable."""
    journal = await opened()
    await asyncio.gather(*(journal.write(entry(str(n)), work(str(n))) for n in range(200)))
    assert len(await all_entries(journal)) == 200


async def test_one_task_is_found_by_itself(opened: Open) -> None:
    """Whether it has ended or not."""
    journal = await opened()
    await journal.write(entry("a"), work("a"))
    assert await journal.read_entry("a") == entry("a")
    assert await journal.read_entry("b") is None


async def test_what_has_not_ended_is_told_apart(opened: Open) -> None:
    """With the size of its work; a task that has ended is among the others, in whatever portions."""
    journal = await opened()
    await journal.write(entry("running"), work("running"))
    await asyncio.gather(*(journal.write(ended(str(number))) for number in range(1_100)))
    ((kept, size),) = await journal.unfinished()
    assert kept == entry("running")
    assert size >= work("running").size
    portions = [portion async for portion in journal.ended()]
    assert {known.task.id for portion in portions for known in portion} == {str(number) for number in range(1_100)}


async def test_what_was_forgotten_may_be_written_again(opened: Open) -> None:
    """As a new task."""
    journal = await opened()
    await journal.write(entry("a"), work("a"))
    await journal.forget(["a"])
    await journal.write(entry("a"), work("a"))
    assert await all_entries(journal) == [entry("a")]
