"""The journal, in each place that it can be: what was written is there again, and nothing else."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.tasks.entry import Binding
from deployments.tasks.journal import Journal, JournalBroken, MemoryJournal
from deployments.tasks.postgres_journal import PostgresJournal
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import BackgroundJob, OverlayJob, Work
from tests.tasks.entries import all_entries, ended, entry, work
from tests.tasks.in_process import finish, orchestrator, task_and_work

Open = Callable[[], Awaitable[Journal]]
Spoil = Callable[[str, bytes], None]
LEFT_OUT = "deployments.tasks.journal"


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


@pytest.fixture
def spoil(request: pytest.FixtureRequest, tmp_path: Path) -> Spoil:
    """Writes these bytes in place of a task's entry, while no journal is open."""
    kind = request.node.callspec.params["opened"]
    url = request.getfixturevalue(f"{kind}_url") if kind in {"redis", "postgres"} else ""

    def spoil(task_id: str, instead: bytes) -> None:
        match kind:
            case "sqlite":
                with closing(sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)) as connection:
                    connection.execute("UPDATE entries SET entry = ? WHERE id = ?", (instead, task_id))
            case "redis":
                with Redis.from_url(url) as client:
                    client.hset("{aige:app}:entries", task_id, instead)
            case _:
                with psycopg.connect(url) as connection:
                    connection.execute("UPDATE aige_entries SET entry = %s WHERE id = %s", (instead, task_id))

    return spoil


ON_DISK = pytest.mark.parametrize("opened", ["sqlite", "redis", "postgres"], indirect=True)
SPOILT = pytest.mark.parametrize("instead", [b"\xff\x00 no JSON", b'{"task": {"id": "secret"}}'])


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


@ON_DISK
@SPOILT
async def test_an_ended_task_that_cannot_be_read_keeps_nobody_from_the_others(
    opened: Open, spoil: Spoil, instead: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names it, and tells nothing that stands there; it stays where it is. Keyed submissions are answered."""
    journal = await opened()
    for task_id in ("a", "bad", "b"):
        await journal.write(replace(ended(task_id), binding=Binding(f"key of {task_id}", "fingerprint")))
    await journal.close()
    spoil("bad", instead)
    journal = await opened()
    assert {known.task.id for known in await all_entries(journal)} == {"a", "b"}
    (line,) = [record.getMessage() for record in caplog.records if record.name == LEFT_OUT]
    assert "the task bad cannot be read" in line
    assert "secret" not in line
    with pytest.raises(JournalBroken, match="the task bad cannot be read"):
        await journal.read_entry("bad")
    service = orchestrator(finish, journal, retention={"hours": 1_000_000})
    await service.recover()
    async with asyncio.timeout(10):
        assert (await service.submit(*task_and_work("new"), Binding("new key", "request"))).id == "new"
        known = await service.bound(Binding("key of b", "fingerprint"))
    assert known is not None
    assert known.id == "b"


@ON_DISK
@SPOILT
async def test_a_running_task_that_cannot_be_read_stops_the_start(opened: Open, spoil: Spoil, instead: bytes) -> None:
    """It may hold a receipt: who goes on without it may pay twice. The error names it."""
    journal = await opened()
    for task_id in ("a", "bad"):
        await journal.write(entry(task_id), work(task_id))
    await journal.close()
    spoil("bad", instead)
    journal = await opened()
    with pytest.raises(JournalBroken, match="the task bad cannot be read") as caught:
        await journal.unfinished()
    assert "secret" not in str(caught.value)


@ON_DISK
async def test_nobody_opens_what_an_interrupted_import_has_left(opened: Open) -> None:
    """It is refused, with what to do, until it is said to be whole."""
    journal = await opened()
    await journal.set_whole(is_whole=False)
    await journal.write(entry("a"), work("a"))
    await journal.close()
    with pytest.raises(JournalBroken, match=r"a part of its tasks: .* and import again"):
        await opened()


@ON_DISK
async def test_a_whole_import_is_opened_again(opened: Open) -> None:
    """With all that it holds."""
    journal = await opened()
    await journal.set_whole(is_whole=False)
    await journal.write(entry("a"), work("a"))
    await journal.set_whole(is_whole=True)
    await journal.close()
    assert await all_entries(await opened()) == [entry("a")]
