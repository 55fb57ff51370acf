"""The journal in an SQLite file: the default, for one machine.

One thread owns the connection. While it commits, further writes gather for the next commit (group commit), which costs
one sync of the disk, however many writes it holds. `synchronous=FULL` means that a commit survives a loss of power.
A commit holds few statements, because each gives Python's lock away, and then waits until the event loop gives it back.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from deployments.tasks.batches import MOST_BYTES, Answers, Batches
from deployments.tasks.entry import Entry
from deployments.tasks.journal import (
    ENTRY,
    PART,
    PORTION,
    SCHEMA,
    WORK,
    HeldByItsProcess,
    JournalBroken,
    Kept,
    WriteUnknown,
    another_schema,
    entry_of,
    readable,
)
from deployments.tasks.migrations import MIGRATIONS, migrated_entry, migrated_work
from deployments.tasks.work import Work

_TABLES = (
    "CREATE TABLE entries (id TEXT PRIMARY KEY, entry BLOB NOT NULL)",
    "CREATE TABLE works (id TEXT PRIMARY KEY, work BLOB NOT NULL)",
)
_PUT_ENTRIES = "INSERT INTO entries VALUES {} ON CONFLICT (id) DO UPDATE SET entry = excluded.entry"
_PUT_WORKS = "INSERT INTO works VALUES {} ON CONFLICT (id) DO UPDATE SET work = excluded.work"
_DROP_WORKS = "DELETE FROM works WHERE id IN ({})"

MOST = 1_000
"""Writes in a commit: enough for all who wait. A smaller bound would limit the writes a second, and beyond that limit
each write would wait longer than the one before.
"""

T = TypeVar("T")
Action = Callable[[sqlite3.Connection], T]


class _Write(NamedTuple):
    entry: Entry
    work: Work | None

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        return self.work.size if self.work else 0


class SqliteJournal(HeldByItsProcess):
    """A `Journal` in the file at `path`, which it alone may have open.

    A commit of several writes holds at most `most_bytes` of pictures: all of it is in memory at once.

    Raises:
        JournalBroken: the file cannot be opened, or was written by another version.
    """

    def __init__(self, path: Path, *, wait_for_lock_s: float = 30, most_bytes: int = MOST_BYTES) -> None:
        self._connection = _open(path, wait_for_lock_s)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._actions = Batches[_Write | Action[Any], object](self._commit, _size_of, most=MOST, most_bytes=most_bytes)

    async def unfinished(self) -> list[Kept]:
        def select(connection: sqlite3.Connection) -> list[Kept]:
            rows = connection.execute("SELECT id, entry, length(work) FROM entries JOIN works USING (id)")
            return [Kept(entry_of(task_id, entry), size) for task_id, entry, size in rows]

        return await self._do(select)

    async def ended(self) -> AsyncIterator[list[Entry]]:
        last = 0
        while rows := await self._do(partial(_select_ended, after=last)):
            last, *_ = rows[-1]
            yield readable((task_id, entry) for _, task_id, entry in rows)

    async def read_entry(self, task_id: str) -> Entry | None:
        def select(connection: sqlite3.Connection) -> Entry | None:
            row = connection.execute("SELECT entry FROM entries WHERE id = ?", (task_id,)).fetchone()
            return entry_of(task_id, row[0]) if row else None

        return await self._do(select)

    async def read_work(self, task_id: str) -> Work | None:
        def select(connection: sqlite3.Connection) -> Work | None:
            row = connection.execute("SELECT work FROM works WHERE id = ?", (task_id,)).fetchone()
            return WORK.validate_json(row[0]) if row else None

        return await self._do(select)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await self._actions.ask(_Write(entry, work))

    async def forget(self, task_ids: list[str]) -> None:
        def delete(connection: sqlite3.Connection) -> None:
            for table in ("entries", "works"):
                connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(i,) for i in task_ids])  # noqa: S608

        await self._do(delete)

    async def touch(self) -> None:
        await self._write_schema(SCHEMA)  # SQLite writes its page, even where it is the same

    async def set_whole(self, *, is_whole: bool) -> None:
        """See `Journal`."""
        await self._write_schema(SCHEMA if is_whole else PART)

    async def _write_schema(self, schema: int) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA user_version = {schema}")

        await self._do(write)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def _do(self, action: Action[T]) -> T:
        """The action's result, once the transaction that it was part of has been committed."""
        return cast(T, await self._actions.ask(action))

    async def _commit(self, actions: Sequence[_Write | Action[object]]) -> Answers[object]:
        loop = asyncio.get_running_loop()
        yield list(enumerate(await loop.run_in_executor(self._thread, self._transact, actions)))

    def _transact(self, actions: Sequence[_Write | Action[object]]) -> list[object]:
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                return self._answers(actions)
        except Exception as error:
            if len(actions) == 1:
                return [_broken(error)]
            # one bad write must not refuse the rest
            return [answer for action in actions for answer in self._transact([action])]

    def _answers(self, actions: Sequence[_Write | Action[object]]) -> list[object]:
        """Does the actions in their order; writes that follow one another are one."""
        answers = list[object]()
        writes = list[_Write]()
        for action in actions:
            if isinstance(action, _Write):
                writes.append(action)
                answers.append(None)
            else:
                _put(self._connection, writes)
                writes = []
                answers.append(action(self._connection))
        _put(self._connection, writes)
        return answers


def _size_of(action: _Write | Action[object]) -> int:
    return action.size if isinstance(action, _Write) else 0


def _put(connection: sqlite3.Connection, writes: Sequence[_Write]) -> None:
    entries = [(entry.task.id, ENTRY.dump_json(entry)) for entry, _ in writes]
    works = [(work.task_id, WORK.dump_json(work)) for _, work in writes if work]
    for statement, rows in ((_PUT_ENTRIES, entries), (_PUT_WORKS, works)):
        if rows:
            connection.execute(statement.format(", ".join(["(?, ?)"] * len(rows))), list(chain.from_iterable(rows)))
    if ended := [entry.task.id for entry, _ in writes if entry.task.is_ended]:  # last: an end may follow a work
        connection.execute(_DROP_WORKS.format(", ".join("?" * len(ended))), ended)


def _select_ended(connection: sqlite3.Connection, *, after: int) -> list[tuple[int, str, bytes]]:
    """The next portion, with the row's number; only a task that has not ended has a work."""
    without_work = "SELECT rowid, id, entry FROM entries WHERE rowid > ? AND id NOT IN (SELECT id FROM works)"
    return connection.execute(f"{without_work} ORDER BY rowid LIMIT ?", (after, PORTION)).fetchall()


def _open(path: Path, wait_for_lock_s: float) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)  # it holds prompts, photos and signed URLs
        connection = sqlite3.connect(path, timeout=wait_for_lock_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema == 0:
            for table in _TABLES:
                connection.execute(table)
        elif schema in MIGRATIONS:
            _migrate(connection, schema)
        elif schema != SCHEMA:
            connection.close()
            raise another_schema(f"the journal {path}", schema, "move the file away")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise JournalBroken(f"the journal {path} cannot be opened ({error}): {_way_out(error)}") from error
    return connection


def _migrate(connection: sqlite3.Connection, schema: int) -> None:
    connection.create_function("migrated_entry", 1, partial(migrated_entry, schema=schema))
    connection.create_function("migrated_work", 1, partial(migrated_work, schema=schema))
    connection.execute("UPDATE entries SET entry = migrated_entry(entry)")
    connection.execute("UPDATE works SET work = migrated_work(work)")


def _way_out(error: Exception) -> str:
    """What the operator can do. Network mounts show themselves by locks that fail, or are never given."""
    local = "set AIGE_DATA_DIR to a disk of this machine, or `journal` to a Redis server"
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_NOTADB" | "SQLITE_CORRUPT":
            return "it is damaged, or no journal; move it away, and the tasks in it are lost"
        case "SQLITE_FULL":
            return "make room on the disk"
        case "SQLITE_BUSY":
            return f"end the process that has it open; where there is none, as on a network mount, {local}"
        case name if name.startswith(("SQLITE_IOERR", "SQLITE_PROTOCOL")):
            return f"SQLite needs file locks, which network mounts often lack; {local}"
    return "set AIGE_DATA_DIR to a folder that the service may write to"


def _broken(error: Exception) -> JournalBroken:
    """The disk may have taken a commit whose end SQLite did not see."""
    is_unknown = getattr(error, "sqlite_errorname", "").startswith("SQLITE_IOERR")
    kind = WriteUnknown if is_unknown else JournalBroken
    return error if isinstance(error, JournalBroken) else kind(f"the journal does not work: {error}")
