"""The journal in an SQLite file: shared commits, a full disk, one owner."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.tasks.journal import JournalBroken
from deployments.tasks.sqlite_journal import SqliteJournal
from deployments.tasks.work import AvatarJob, BackgroundJob, Work
from tests.tasks.entries import all_entries, ended, entry, work


def commits_in(wal: Path) -> int:
    """Each commit ends with a frame that tells the size of the database (https://sqlite.org/fileformat2.html#walformat)."""
    log = wal.read_bytes()
    frame_size = 24 + int.from_bytes(log[8:12])
    return sum(log[at + 4 : at + 8] != bytes(4) for at in range(32, len(log), frame_size))


async def test_writes_at_once_share_commits(tmp_path: Path) -> None:
    """Each commit costs a sync of the disk: all who wait share it, or those who come later would wait longer."""
    journal, wal = SqliteJournal(tmp_path / "journal.sqlite3"), tmp_path / "journal.sqlite3-wal"
    before = commits_in(wal)
    await journal.write(entry("alone"))
    assert commits_in(wal) == before + 1
    await asyncio.gather(*(journal.write(entry(str(n))) for n in range(500)))
    assert commits_in(wal) == before + 2
    await journal.close()


async def test_in_one_commit_too_everything_happens_in_order(tmp_path: Path) -> None:
    """What is read in between finds what was written before, and an end leaves no work behind."""
    journal, wal = SqliteJournal(tmp_path / "journal.sqlite3"), tmp_path / "journal.sqlite3-wal"
    before = commits_in(wal)
    _, first, _, _, second, _, third, _ = await asyncio.gather(
        journal.write(entry("a"), work("a")),
        journal.read_work("a"),
        journal.forget(["a"]),
        journal.write(entry("b"), work("b")),
        journal.read_work("b"),
        journal.write(ended("b")),
        journal.read_work("b"),
        journal.write(entry("c"), work("c")),
    )
    assert commits_in(wal) == before + 1
    assert (first, second, third) == (work("a"), work("b"), None)
    assert {known.task.id for known in await all_entries(journal)} == {"b", "c"}
    await journal.close()


async def test_pictures_share_a_commit_up_to_a_bound(tmp_path: Path) -> None:
    """All that a commit writes is in memory at once."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3", most_bytes=10_000)
    wal = tmp_path / "journal.sqlite3-wal"
    before = commits_in(wal)
    photo = Picture(data=bytes(5_000))
    works = [Work(str(n), AvatarJob("x", (photo,), AspectRatio.WIDE, "https://w")) for n in range(4)]
    await asyncio.gather(*(journal.write(entry(large.task_id), large) for large in works))
    assert commits_in(wal) == before + 2
    await journal.close()


async def test_a_disk_that_is_full_breaks_the_write_and_nothing_else(tmp_path: Path) -> None:
    """The write says so, what was there stays, and once there is room again the journal works."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    await journal.write(entry("before"), work("before"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        large = Work("large", AvatarJob("x", (Picture(data=b"\0" * 1_000_000),), AspectRatio.WIDE, "https://w"))
        with pytest.raises(JournalBroken, match="the journal does not work"):
            await journal.write(entry("large"), large)
        await journal.write(entry("small"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await journal.write(entry("after"))
    assert [known.task.id for known in await all_entries(journal)] == ["before", "small", "after"]
    await journal.close()


async def test_a_touch_is_a_write(tmp_path: Path) -> None:
    """A commit of its own, which a full disk refuses."""
    journal, wal = SqliteJournal(tmp_path / "journal.sqlite3"), tmp_path / "journal.sqlite3-wal"
    before = commits_in(wal)
    await journal.touch()
    assert commits_in(wal) == before + 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, limits[1]))
    try:
        with pytest.raises(JournalBroken, match="the journal does not work"):
            await journal.touch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await journal.touch()
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
    assert len(await all_entries(journal)) == 2
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
