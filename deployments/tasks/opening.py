"""From the setting to the journal."""

from pathlib import Path

from deployments.tasks.journal import Journal, MemoryJournal


def open_journal(place: str, data_dir: Path) -> Journal:
    """The journal at `place`: `sqlite`, `memory`, or the URL of a Redis server.

    Raises:
        JournalBroken: it cannot be opened.
    """
    if place == "memory":
        return MemoryJournal()
    from deployments.tasks.sqlite_journal import SqliteJournal

    return SqliteJournal(data_dir / "journal.sqlite3")
