"""From the setting to the journal."""

from pathlib import Path

from deployments.tasks.journal import MemoryJournal
from deployments.tasks.open_journal import open_journal
from deployments.tasks.postgres_journal import PostgresJournal
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.sqlite_journal import SqliteJournal
from tests.tasks.entries import all_entries


async def test_each_setting_opens_its_journal(tmp_path: Path, redis_url: str, postgres_url: str) -> None:
    """SQLite's lies in the data folder, which is made where it is missing."""
    data = tmp_path / "data"
    kinds = {"sqlite": SqliteJournal, "memory": MemoryJournal, redis_url: RedisJournal, postgres_url: PostgresJournal}
    for place, kind in kinds.items():
        journal = open_journal(place, data, "app")
        assert type(journal) is kind
        await journal.take("cluster", 1)
        assert await all_entries(journal) == []
        await journal.close()
    assert [file.name for file in data.iterdir()] == ["journal.sqlite3"]
