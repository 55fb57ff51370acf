"""The journal, in each place that it can be: what was written is there again, and nothing else."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from deployments.errors import ErrorCode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.tasks.entry import Binding, Entry, PaidSubmit
from deployments.tasks.journal import Journal, JournalBroken, MemoryJournal
from deployments.tasks.record import Failure, Operation, Status, Task
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import AvatarJob, BackgroundJob, OverlayJob, Work

AT = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
ALL_BYTES = bytes(range(256)) * 10
Open = Callable[[], Awaitable[Journal]]


def entry(task_id: str) -> Entry:
    task = Task.accepted(
        task_id=task_id, avatar_id="é/🙂", operation=Operation.AVATAR, read_url="https://r", engine="local", at=AT
    )
    return Entry(
        task.attempted().advanced(1, Status.PROCESSING_AVATAR_MODEL, AT),
        Binding("key", "fingerprint"),
        {"generate_avatar": PaidSubmit("token", "receipt"), "overlay": PaidSubmit("other")},
    )


def work(task_id: str) -> Work:
    photos = (Picture(data=ALL_BYTES), Picture(url="https://p.example/1"))
    job = AvatarJob("a 'pilot'\n", photos, AspectRatio.WIDE, "https://w")
    return Work(task_id, job, done=frozenset({"generate_avatar"}), notes=("Note.",), person_size=(8, 6))


@pytest.fixture(params=["sqlite", "redis", "memory"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the same journal again and again, each time as a new process would."""
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    memory = MemoryJournal()
    current: list[Journal] = []

    async def open_again() -> Journal:
        match request.param:
            case "sqlite":
                current.append(SqliteJournal(tmp_path / "journal.sqlite3"))
            case "redis":
                current.append(RedisJournal(redis_url))
                await current[-1].read()
            case _:
                current.append(memory)
        return current[-1]

    yield open_again
    await current[-1].close()


async def test_a_new_journal_is_empty(opened: Open) -> None:
    """It knows no task."""
    assert await (await opened()).read() == []


async def test_what_was_written_is_there_again(opened: Open) -> None:
    """To the byte, after the journal was closed and opened."""
    journal = await opened()
    for task_id in ("b", "a"):
        await journal.write(entry(task_id), work(task_id))
    await journal.close()
    journal = await opened()
    assert sorted(await journal.read(), key=lambda known: known.task.id) == [entry("a"), entry("b")]
    assert await journal.read_work("a") == work("a")


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
    ended = entry("a").with_task(entry("a").task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT))
    await journal.write(ended)
    assert await journal.read() == [ended]
    assert await journal.read_work("a") is None


async def test_what_is_forgotten_is_gone(opened: Open) -> None:
    """And only that."""
    journal = await opened()
    for task_id in ("a", "b"):
        await journal.write(entry(task_id), work(task_id))
    await journal.forget(["a", "never there"])
    assert [known.task.id for known in await journal.read()] == ["b"]


async def test_many_writes_at_once_are_all_kept(opened: Open) -> None:
    """They share commits, and each returns once its own is durable."""
    journal = await opened()
    await asyncio.gather(*(journal.write(entry(str(n)), work(str(n))) for n in range(200)))
    assert len(await journal.read()) == 200


async def test_writes_at_once_share_commits(tmp_path: Path) -> None:
    """Each commit costs a sync of the disk: all who wait share it, or those who come later would wait longer."""
    journal, statements = SqliteJournal(tmp_path / "journal.sqlite3"), list[str]()
    journal._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(journal.write(entry(str(n))) for n in range(500)))
    assert statements.count("COMMIT") == 1
    await journal.close()


async def test_a_disk_that_is_full_breaks_the_write_and_nothing_else(tmp_path: Path) -> None:
    """The write says so, what was there stays, and once there is room again the journal works."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    await journal.write(entry("before"), work("before"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        large = Work("large", AvatarJob("x", (Picture(data=b"\0" * 1_000_000),), AspectRatio.WIDE, "https://w"))
        with pytest.raises(JournalBroken):
            await journal.write(entry("large"), large)
        await journal.write(entry("small"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await journal.write(entry("after"))
    assert [known.task.id for known in await journal.read()] == ["before", "small", "after"]
    await journal.close()


async def test_one_bad_write_does_not_refuse_its_group(tmp_path: Path) -> None:
    """Writes that were to share its commit are committed alone."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    unwritable = Work("bad", BackgroundJob("a \ud800 that is no text", AspectRatio.WIDE, "https://w"))
    outcomes = await asyncio.gather(
        journal.write(entry("a")),
        journal.write(entry("bad"), unwritable),
        journal.write(entry("b")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), JournalBroken, type(None)]
    assert len(await journal.read()) == 2
    await journal.close()


def test_a_journal_has_one_owner(tmp_path: Path) -> None:
    """A second process cannot open it, however it got there."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    with pytest.raises(JournalBroken, match="locked"):
        SqliteJournal(tmp_path / "journal.sqlite3", wait_for_lock_s=0)
    asyncio.run(journal.close())


@pytest.mark.parametrize(
    ("broken", "way_out"),
    [
        (lambda path: path.write_bytes(b"a letter, and no journal" * 400), "move it away"),
        (lambda path: path.mkdir(), "set AIGE_DATA_DIR to a folder that the service may write to"),
    ],
)
def test_a_journal_that_cannot_be_opened_says_what_to_do(
    tmp_path: Path, broken: Callable[[Path], object], way_out: str
) -> None:
    """The operator reads it when the start is refused."""
    broken(tmp_path / "journal.sqlite3")
    with pytest.raises(JournalBroken, match=way_out):
        SqliteJournal(tmp_path / "journal.sqlite3")


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    """With a line that says what to do, and untouched."""
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(JournalBroken, match="another version"):
        SqliteJournal(tmp_path / "journal.sqlite3")


async def test_of_two_owners_of_a_redis_journal_the_later_writes(redis_url: str) -> None:
    """An actor that was replaced, and does not know it yet, changes nothing."""
    older, newer = RedisJournal(redis_url), RedisJournal(redis_url)
    await older.read()
    await older.write(entry("a"), work("a"))
    assert await newer.read() == [entry("a")]
    with pytest.raises(JournalBroken, match="another process owns it"):
        await older.write(entry("b"))
    with pytest.raises(JournalBroken, match="another process owns it"):
        await older.forget(["a"])
    await newer.write(entry("c"))
    assert {known.task.id for known in await newer.read()} == {"a", "c"}
    await older.close()
    await newer.close()


async def test_a_redis_journal_of_another_version_is_refused(redis_url: str) -> None:
    """With a line that says what to do."""
    with Redis.from_url(redis_url) as redis:
        redis.set("aige:journal:schema", 999)
    journal = RedisJournal(redis_url)
    with pytest.raises(JournalBroken, match="another version"):
        await journal.read()
    await journal.close()


async def test_a_redis_server_that_is_away_is_a_broken_journal(tmp_path: Path) -> None:
    """For reads and writes alike."""
    journal = RedisJournal(f"unix://{tmp_path / 'nobody'}")
    with pytest.raises(JournalBroken):
        await journal.read()
    with pytest.raises(JournalBroken):
        await journal.write(entry("a"))


@pytest.mark.parametrize("content", [b"this is no database, but long enough to look like one" * 50, None])
def test_what_cannot_be_opened_is_one_error(tmp_path: Path, content: bytes | None) -> None:
    """A file of another kind, or a folder."""
    path = tmp_path / "journal.sqlite3"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(JournalBroken, match="cannot be opened"):
        SqliteJournal(path)


def test_strangers_cannot_read_it(tmp_path: Path) -> None:
    """It holds prompts, photos and signed URLs."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    assert (tmp_path / "journal.sqlite3").stat().st_mode & 0o077 == 0
    asyncio.run(journal.close())
