"""The journal in an SQLite file: the default, for one machine.

One thread owns the connection. It takes all writes that wait and commits them at once (group commit): a commit costs
one sync of the disk, however many writes it holds. `synchronous=FULL` means that a commit survives a loss of power.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from deployments.tasks.entry import Entry
from deployments.tasks.journal import ENTRY, SCHEMA, WORK, JournalBroken
from deployments.tasks.work import Work

_TABLES = (
    "CREATE TABLE entries (id TEXT PRIMARY KEY, entry BLOB NOT NULL)",
    "CREATE TABLE works (id TEXT PRIMARY KEY, work BLOB NOT NULL)",
)
_PUT_ENTRY = "INSERT INTO entries VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET entry = excluded.entry"
_PUT_WORK = "INSERT INTO works VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET work = excluded.work"

T = TypeVar("T")
Action = Callable[[sqlite3.Connection], T]
Waiting = tuple[Action[Any], Future[Any]]


class SqliteJournal:
    """A `Journal` in the file at `path`, which it alone may have open.

    Raises:
        JournalBroken: the file cannot be opened, or was written by another version.
    """

    def __init__(self, path: Path, *, wait_for_lock_s: float = 30) -> None:
        self._connection = _open(path, wait_for_lock_s)
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def read(self) -> list[Entry]:
        def select(connection: sqlite3.Connection) -> list[Entry]:
            rows = connection.execute("SELECT entry FROM entries")
            return [ENTRY.validate_json(entry) for (entry,) in rows]

        return await self._do(select)

    async def read_work(self, task_id: str) -> Work:
        def select(connection: sqlite3.Connection) -> Work:
            row = connection.execute("SELECT work FROM works WHERE id = ?", (task_id,)).fetchone()
            if row is None:
                raise JournalBroken(f"the journal has no work of task {task_id}")
            return WORK.validate_json(row[0])

        return await self._do(select)

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        def upsert(connection: sqlite3.Connection) -> None:
            connection.execute(_PUT_ENTRY, (entry.task.id, ENTRY.dump_json(entry)))
            if entry.task.is_ended:
                connection.execute("DELETE FROM works WHERE id = ?", (entry.task.id,))
            elif work is not None:
                connection.execute(_PUT_WORK, (entry.task.id, WORK.dump_json(work)))

        await self._do(upsert)

    async def forget(self, task_ids: list[str]) -> None:
        def delete(connection: sqlite3.Connection) -> None:
            for table in ("entries", "works"):
                connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(i,) for i in task_ids])  # noqa: S608

        await self._do(delete)

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _do(self, action: Action[T]) -> T:
        """The action's result, once the transaction that it was part of has been committed."""
        answer: Future[T] = Future()
        self._waiting.put((action, answer))
        return await asyncio.wrap_future(answer)

    def _run(self) -> None:
        while group := self._next_group():
            self._commit(group)
        self._connection.close()

    def _next_group(self) -> list[Waiting]:
        """All that waits, at least one; none at the end."""
        group = [self._waiting.get()]
        while not self._waiting.empty():
            group.append(self._waiting.get())
        waiting = [item for item in group if item is not None]
        if waiting and len(waiting) < len(group):
            self._waiting.put(None)  # the end comes after what came before it
        return waiting

    def _commit(self, group: list[Waiting]) -> None:
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                results = [action(self._connection) for action, _ in group]
        except Exception as error:
            if len(group) == 1:
                group[0][1].set_exception(_broken(error))
            else:  # one bad write must not refuse the rest
                for waiting in group:
                    self._commit([waiting])
        else:
            for (_, answer), result in zip(group, results, strict=True):
                answer.set_result(result)


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
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise JournalBroken(f"the journal {path} cannot be opened: {error}") from error
    if schema not in {0, SCHEMA}:
        connection.close()
        raise JournalBroken(
            f"the journal {path} was written by another version of AIGE (schema {schema}, this one has {SCHEMA}): "
            "run that version until its tasks have ended, or move the file away"
        )
    return connection


def _broken(error: Exception) -> JournalBroken:
    return error if isinstance(error, JournalBroken) else JournalBroken(f"the journal does not work: {error}")
