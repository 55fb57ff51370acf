"""From the setting to the journal."""

from pathlib import Path

from deployments.tasks.journal import MemoryJournal
from deployments.tasks.open_journal import open_journal
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal


async def test_each_setting_opens_its_journal(tmp_path: Path, redis_url: str) -> None:
    """SQLite's lies in the data folder, which is made where it is missing."""
    data = tmp_path / "data"
    for place, kind in (("sqlite", SqliteJournal), ("memory", MemoryJournal), (redis_url, RedisJournal)):
        journal = open_journal(place, data)
        assert type(journal) is kind
        assert await journal.read() == []
        await journal.close()
    assert [file.name for file in data.iterdir()] == ["journal.sqlite3"]
