"""Moving a journal: all that it held is in the other one, and nothing is written over."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.errors import ErrorCode
from deployments.tasks.entry import Entry
from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.record import Failure
from deployments.tasks.sqlite_journal import SqliteJournal
from scripts.move_journal import CannotMove, exported, imported
from tests.tasks.entries import AT, entry, work


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """One with a running task and an ended one."""
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    await journal.write(entry("running"), work("running"))
    await journal.write(entry("ended"), work("ended"))
    await journal.write(_ended())
    yield journal
    await journal.close()


def _ended() -> Entry:
    return entry("ended").with_task(entry("ended").task.failed(Failure(ErrorCode.CANCELLED, "It was."), AT))


async def _text_of(journal: Journal) -> str:
    out = io.StringIO()
    assert await exported(journal, out) == 2
    return out.getvalue()


async def test_everything_is_in_the_other_journal(journal: Journal) -> None:
    """Entries, paid submits, keys, works to the byte."""
    other = MemoryJournal()
    assert await imported(other, io.StringIO(await _text_of(journal))) == 2
    assert [kept.entry for kept in await other.unfinished()] == [entry("running")]
    assert await other.read_work("running") == work("running")
    assert [one async for portion in other.ended() for one in portion] == [_ended()]


async def test_a_journal_that_holds_tasks_is_left_alone(journal: Journal) -> None:
    """Two services' tasks never mix."""
    with pytest.raises(CannotMove, match="not empty"):
        await imported(journal, io.StringIO(await _text_of(journal)))


@pytest.mark.parametrize("text", ["", "{}\n", '{"aige_journal": 2}\n', "[]\n"])
async def test_a_file_that_is_no_export_is_refused(text: str) -> None:
    """Nor one of another schema."""
    with pytest.raises(CannotMove, match="no export"):
        await imported(MemoryJournal(), io.StringIO(text))
