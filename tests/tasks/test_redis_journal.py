"""The journal in a Redis server: one owner, one schema, and a server that is away."""

from pathlib import Path

import pytest
from redis import Redis

from deployments.tasks.journal import JournalBroken
from deployments.tasks.redis_journal import RedisJournal
from tests.tasks.entries import entry, work


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
    with pytest.raises(JournalBroken, match="another process owns it"):
        await older.touch()
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
    with pytest.raises(JournalBroken):
        await journal.touch()
