"""The journal: what must survive the end of every process. A recovery log: while all is well, hardly anybody reads it.

For each task it keeps its entry, and until the task ends its work up to the last finished stage. A write that has
returned is durable; one that raises `JournalBroken` did not happen.
"""

from typing import Protocol

from pydantic import TypeAdapter

from deployments.errors import AigeError
from deployments.tasks.entry import Entry
from deployments.tasks.work import Work


class JournalBroken(AigeError):
    """The journal cannot be read or written; its text says why, for the operator."""


SCHEMA = 3
"""Of what a journal holds. It stays the same where a dataclass gets a field with a default, which an older version
ignores. Any other change raises it, and may only be written once a version that reads it has been released.

A journal of an older schema is migrated when it is opened (`deployments.tasks.migrations`); one of a newer schema is
refused.
"""

ENTRY = TypeAdapter(Entry)
WORK = TypeAdapter(Work)


class Journal(Protocol):
    """Where entries and works are kept. Every method may raise `JournalBroken`."""

    async def read(self) -> list[Entry]:
        """All entries, in no order."""
        ...

    async def read_entry(self, task_id: str) -> Entry | None:
        """The entry of one task; None of one that nobody knows."""
        ...

    async def read_work(self, task_id: str) -> Work | None:
        """The work of a task that has not ended; None of one that has, or that nobody knows."""
        ...

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        """Writes the entry, and the work if it is given; with a task's end its work is dropped."""
        ...

    async def forget(self, task_ids: list[str]) -> None:
        """Drops all that is kept of these tasks."""
        ...

    async def touch(self) -> None:
        """Makes a durable write that changes nothing: whoever could do it can record tasks too."""
        ...

    async def close(self) -> None: ...


class MemoryJournal:
    """No journal at all: for those who want the bare map. Nothing survives the actor."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._works: dict[str, Work] = {}

    async def read(self) -> list[Entry]:
        return list(self._entries.values())

    async def read_entry(self, task_id: str) -> Entry | None:
        return self._entries.get(task_id)

    async def read_work(self, task_id: str) -> Work | None:
        return self._works.get(task_id)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        self._entries[entry.task.id] = entry
        if entry.task.is_ended:
            self._works.pop(entry.task.id, None)
        elif work is not None:
            self._works[entry.task.id] = work

    async def forget(self, task_ids: list[str]) -> None:
        for task_id in task_ids:
            self._entries.pop(task_id, None)
            self._works.pop(task_id, None)

    async def touch(self) -> None:
        pass

    async def close(self) -> None:
        pass
