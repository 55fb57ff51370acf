"""From the setting to the journal."""

from pathlib import Path

from deployments.tasks.journal import Journal, MemoryJournal
from deployments.tasks.sqlite_journal import SqliteJournal


def open_journal(place: str, data_dir: Path, app: str) -> Journal:
    """The journal of the application `app` at `place`: `sqlite`, `memory`, or the URL of a server.

    Raises:
        JournalBroken: it cannot be opened.
    """
    match place:
        case "memory":
            return MemoryJournal()
        case "sqlite":
            return SqliteJournal(data_dir / "journal.sqlite3")
        case _ if place.startswith("postgres"):
            from deployments.tasks.postgres_journal import PostgresJournal  # here, as the next, for its weight

            return PostgresJournal(place, app)
        case _:
            from deployments.tasks.redis_journal import RedisJournal  # redis weighs 6 MB in each process

            return RedisJournal(place, app)
