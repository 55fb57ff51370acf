"""The journal: what must survive the end of every process. A recovery log: while all is well, hardly anybody reads it.

For each task it keeps the entry and, until the task ends, the work up to the last finished step. A write has one of
three outcomes. It is *done* when it returns: then it is durable. It is *refused* when it raises `JournalBroken`: then
nothing happened. It is *unknown* when it raises `WriteUnknown`: then it may have happened.
"""

import logging
from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from pydantic import TypeAdapter, ValidationError

from deployments.errors import AigeError
from deployments.tasks.entry import Entry
from deployments.tasks.work import Work

logger = logging.getLogger(__name__)


class JournalBroken(AigeError):
    """The journal cannot be read or written, and nothing was written; its text says why, for the operator."""


class JournalAway(JournalBroken):
    """The journal cannot be reached at the moment. Nothing was written."""


class WriteUnknown(JournalBroken):
    """Contact was lost during a write: it may have happened.

    It may even happen later, but never after a further write for the same task has returned.
    """


class NotTheOwner(JournalBroken):
    """Another process owns the journal. Nothing was written, and this process will never write again."""


SCHEMA = 3
"""The number of the journal's format. It stays when a dataclass gets a field with a default, which an older version
ignores. Any other change raises it. A version may write a new format only if the version before it can read that one.

A journal of an older schema is migrated when it is opened (`deployments.tasks.migrations`); one of a newer schema is
refused.
"""

PART = 2_000_000
"""The schema of a journal while an import fills it: no service opens what an interrupted import has left."""

PORTION = 1_000
"""Entries of ended tasks that are read at once: few enough that no other read waits long behind them."""

ENTRY = TypeAdapter(Entry)
WORK = TypeAdapter(Work)


def entry_of(task_id: str, kept: bytes) -> Entry:
    """The entry of a task, from the bytes that a journal keeps.

    Raises:
        JournalBroken: it cannot be read. Names the task and the field, but not the content.
    """
    try:
        return ENTRY.validate_json(kept)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f" ({'.'.join(map(str, first['loc']))})" if first["loc"] else ""
        raise JournalBroken(f"the entry of the task {task_id} cannot be read{where}: {first['msg']}") from None


def readable(kept: Iterable[tuple[str, bytes]]) -> list[Entry]:
    """The entries of ended tasks, from their ids and bytes.

    One that cannot be read is left out, and stays in the journal; the log names it. The others can still be used.
    """
    entries = []
    for task_id, one in kept:
        try:
            entries.append(entry_of(task_id, one))
        except JournalBroken as error:
            logger.error("An ended task is left out: %s", error)  # noqa: TRY400 - the text says all
    return entries


def another_schema(journal: str, schema: int, way_out: str) -> JournalBroken:
    """Why a journal of another schema is not opened, and what to do."""
    if schema == PART:
        return JournalBroken(
            f"{journal} holds only a part of its tasks: an import goes on, or was interrupted; wait for its end, or "
            f"{way_out} and import again"
        )
    return JournalBroken(
        f"{journal} was written by another version of AIGE (schema {schema}, this one has {SCHEMA}): run that version "
        f"until its tasks have ended, or {way_out}"
    )


class Kept(NamedTuple):
    """The entry of a task that has not ended, and the bytes of its work as the journal keeps it."""

    entry: Entry
    size: int


class Ground(StrEnum):
    """Why a process may take the journal from another cluster."""

    IDLE = "idle"
    """The owner's cluster has not renewed its lease for `HOME_LEASES` times as long as it lasts."""
    TRAFFIC = "traffic"
    """Callers have come to this cluster: it waits only until the lease has run out, or was released."""
    FORCE = "force"
    """Callers have come, and the owner was asked for the journal but goes on. It is taken without waiting."""


HOME_LEASES = 5
"""How many lease times the journal waits for a new process of its cluster: Ray needs up to 9 s to start one."""


class Hold(NamedTuple):
    """The result of a try to take the journal: `is_mine` if this process now owns it.

    For `left_s` seconds the former owner may still answer from it. This cluster is `retired` if callers once came to
    it, and now come to the cluster that owns the journal. `epoch` counts how often the journal has been taken; it is 0
    if this process does not own it, or if it has no lease.
    """

    is_mine: bool
    left_s: float = 0
    retired: bool = False
    epoch: int = 0


class Journal(Protocol):
    """Where entries and works are kept. Every method may raise `JournalBroken`; only writes raise `WriteUnknown`.

    One process owns it: nobody else writes. Writes for one task come one after the other. A task is written with its
    work first, and has one until it ends.

    If it `is_leased`, its owner must renew it before the lease runs out.
    """

    is_leased: bool

    async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
        """Makes this process the owner: nobody else can write from then on.

        A process of the owner's Ray cluster may take it at once; one of another cluster only when its `ground` allows.
        """
        ...

    async def renew(self, *, is_busy: bool = False) -> bool:
        """Prolongs the lease; returns whether another cluster asks for it. `is_busy`: callers come to this cluster.

        Raises:
            NotTheOwner: another process has it.
        """
        ...

    async def ask_for_it(self) -> None:
        """Asks the owner, which is in another cluster, to release the journal."""
        ...

    async def release(self) -> None:
        """Ends the lease. By then, no mirror shows anything that this process has told."""
        ...

    async def unfinished(self) -> list[Kept]:
        """The tasks that have not ended, in no order.

        Raises:
            JournalBroken: also if one entry cannot be read: it may hold a receipt, so nothing goes on without it.
        """
        ...

    def ended(self) -> AsyncIterator[list[Entry]]:
        """The entries of tasks that have ended, in portions and in no order; without those that cannot be read."""
        ...

    async def read_entry(self, task_id: str) -> Entry | None:
        """The entry of one task; None if the journal does not know it."""
        ...

    async def read_work(self, task_id: str) -> Work | None:
        """The work of a task that has not ended; None if it has, or if the journal does not know it."""
        ...

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        """Writes the entry, and the work if it is given. The write that ends a task drops its work."""
        ...

    async def forget(self, task_ids: list[str]) -> None:
        """Drops all that is kept of these tasks."""
        ...

    async def touch(self) -> None:
        """Makes a durable write that changes nothing: if it succeeds, tasks can be recorded too."""
        ...

    async def set_whole(self, *, is_whole: bool) -> None:
        """Says whether all tasks that it should hold are there. Until they are, nobody can open or take it."""
        ...

    async def close(self) -> None: ...


class HeldByItsProcess:
    """Ownership of a journal that no other process can reach while its owner lives: there is nothing to do."""

    is_leased = False

    async def take(self, _cluster: str, _lease_s: float, _ground: Ground = Ground.IDLE) -> Hold:
        """See `Journal`."""
        return Hold(is_mine=True)

    async def renew(self, *, is_busy: bool = False) -> bool:
        """See `Journal`."""
        return False

    async def ask_for_it(self) -> None:
        """See `Journal`."""

    async def release(self) -> None:
        """See `Journal`."""

    async def set_whole(self, *, is_whole: bool) -> None:
        """See `Journal`: nothing outlives its process."""


class MemoryJournal(HeldByItsProcess):
    """A journal in memory, for `journal: memory`. Nothing survives the actor."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._works: dict[str, Work] = {}

    async def unfinished(self) -> list[Kept]:
        return [Kept(self._entries[task_id], work.size) for task_id, work in self._works.items()]

    async def ended(self) -> AsyncIterator[list[Entry]]:
        yield [entry for task_id, entry in self._entries.items() if task_id not in self._works]

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
