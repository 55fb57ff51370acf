"""The journal in a Redis server: for a cluster, whose actor may start again on another machine.

It is as durable as the server: run that with `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`.
All its keys begin with `{aige:APPLICATION}:`. The braces put them into one slot of a Redis cluster.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar, cast

from deployments.tasks import redis_scripts as scripts
from deployments.tasks.batches import Answers, Batches
from deployments.tasks.entry import Entry
from deployments.tasks.journal import (
    ENTRY,
    HOME_LEASES,
    PART,
    PORTION,
    SCHEMA,
    WORK,
    Ground,
    Hold,
    JournalBroken,
    Kept,
    NotTheOwner,
    another_schema,
    entry_of,
    readable,
)
from deployments.tasks.migrations import MIGRATIONS, migrated_entry, migrated_work
from deployments.tasks.redis_link import TIMEOUT_S, Command, RedisLink
from deployments.tasks.work import Work

MOST = 1_000
"""Writes that are sent together. Redis syncs its file once for all that it finds waiting."""

_OLD = "aige:journal:"
"""How the keys of version 0.1 begin, which knew neither applications nor clusters."""
_LEFT = 1_000_000
"""Stands as the schema there once the journal has moved, so that version 0.1 refuses to begin anew."""

AT_ONCE = 200
"""Unfinished tasks that are read together."""

_WANTED_MS = 3_000
"""How long the journal is kept free for the cluster that asked for it last."""

T = TypeVar("T")


class RedisJournal:
    """The `Journal` of the application `app` in the database that `url` names."""

    is_leased = True

    def __init__(self, url: str, app: str, timeout_s: float = TIMEOUT_S) -> None:
        self._link = RedisLink(url, timeout_s)
        self._prefix = f"{{aige:{app}}}:"
        self._writes = Batches(self._send, _size, most=MOST)
        self._schema = SCHEMA
        self._cluster = ""
        self._lease_ms = 0
        self._epoch = 0
        self._number = 0

    async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
        """See `Journal`."""
        self._cluster, self._lease_ms = cluster, max(1, round(lease_s * 1000))
        own, old = await self._schemas()
        self._schema = own or old or SCHEMA
        epoch, left_ms, retired = cast(
            list[int],
            await self._link.ask(*self._command(scripts.TAKE, cluster, *self._times(), ground)),
        )
        if epoch:
            self._epoch, self._number = epoch, 0
            await self._prepare(own, old)
        return Hold(bool(epoch), left_ms / 1000, retired=bool(retired), epoch=epoch)

    async def renew(self, *, is_busy: bool = False) -> bool:
        """See `Journal`."""
        return await self._if_owner(scripts.RENEW, self._cluster, *self._times(), int(is_busy)) == 1

    async def ask_for_it(self) -> None:
        """See `Journal`."""
        await self._link.ask("SET", self._prefix + "wanted", self._cluster, "PX", _WANTED_MS)

    async def release(self) -> None:
        """See `Journal`."""
        await self._if_owner(scripts.RELEASE)

    async def unfinished(self) -> list[Kept]:
        """See `Journal`."""
        kept: list[Kept] = []
        for ids in _portions(await self._ids_of_works(), AT_ONCE):
            entries = cast(list[bytes | None], await self._link.ask("HMGET", self._prefix + "entries", *ids))
            sizes = await self._link.exchange([("HSTRLEN", self._prefix + "works", task_id) for task_id in ids])
            for task_id, entry, size in zip(ids, entries, sizes, strict=True):
                if entry is not None and isinstance(size, int):
                    kept.append(Kept(entry_of(task_id.decode(), entry), size))
        return kept

    async def ended(self) -> AsyncIterator[list[Entry]]:
        """See `Journal`."""
        with_work = set(await self._ids_of_works())
        async for portion in self._scanned(self._prefix + "entries"):
            yield readable((task_id.decode(), entry) for task_id, entry in portion if task_id not in with_work)

    async def read_entry(self, task_id: str) -> Entry | None:
        """See `Journal`."""
        entry = cast(bytes | None, await self._link.ask("HGET", self._prefix + "entries", task_id))
        return entry_of(task_id, migrated_entry(entry, self._schema)) if entry else None

    async def read_work(self, task_id: str) -> Work | None:
        """See `Journal`."""
        work = cast(bytes | None, await self._link.ask("HGET", self._prefix + "works", task_id))
        return WORK.validate_json(work) if work else None

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        """See `Journal`."""
        if entry.task.is_ended:
            with_work: tuple[str | bytes, ...] = ("drop",)
        else:
            with_work = ("keep",) if work is None else ("put", WORK.dump_json(work))
        await self._write(scripts.WRITE, entry.task.id, ENTRY.dump_json(entry), *with_work)

    async def forget(self, task_ids: list[str]) -> None:
        """See `Journal`."""
        await self._write(scripts.FORGET, *task_ids)

    async def touch(self) -> None:
        """See `Journal`."""
        await self._if_owner(scripts.SET_SCHEMA, SCHEMA)

    async def set_whole(self, *, is_whole: bool) -> None:
        """See `Journal`."""
        await self._if_owner(scripts.SET_SCHEMA, SCHEMA if is_whole else PART)

    async def close(self) -> None:
        """See `Journal`."""
        await self._link.close()

    async def _write(self, script: scripts.Script, *arguments: str | bytes) -> None:
        reply = scripts.BELOW_FLOOR
        while reply == scripts.BELOW_FLOOR:  # another task was forgotten while this new one was on its way
            self._number += 1
            command = self._command(script, self._epoch, self._number, *arguments)
            reply = cast(int, await self._writes.ask(command))
        if reply != scripts.DONE:
            raise _refusal(reply)

    async def _send(self, commands: Sequence[Command]) -> Answers[object]:
        replies = await self._link.exchange(commands)
        yield [(place, reply) for place, reply in enumerate(replies)]

    async def _if_owner(self, script: scripts.Script, *arguments: str | bytes | int) -> int:
        """Runs a script that may run twice."""
        reply = cast(int, await self._link.ask(*self._command(script, self._epoch, *arguments)))
        if reply == scripts.NOT_THE_OWNER:
            raise _refusal(reply)
        return reply

    def _command(self, script: scripts.Script, *arguments: str | bytes | int) -> Command:
        return ("EVAL", script.text, len(script.keys), *(self._prefix + key for key in script.keys), *arguments)

    def _times(self) -> tuple[int, int]:
        """Milliseconds of the lease, and for which the journal waits for a new process of its cluster."""
        return self._lease_ms, HOME_LEASES * self._lease_ms

    async def _ids_of_works(self) -> list[bytes]:
        return cast(list[bytes], await self._link.ask("HKEYS", self._prefix + "works"))

    async def _scanned(self, key: str) -> AsyncIterator[list[tuple[bytes, bytes]]]:
        """A hash, in portions; what changes meanwhile may come twice, or not."""
        cursor = b"0"
        while True:
            cursor, flat = cast(tuple[bytes, list[bytes]], await self._link.ask("HSCAN", key, cursor, "COUNT", PORTION))
            yield list(zip(flat[::2], flat[1::2], strict=True))
            if cursor == b"0":
                return

    async def _schemas(self) -> tuple[int | None, int | None]:
        """Of this journal, and of one of version 0.1 that has not moved here yet."""
        own = _number_of(await self._link.ask("GET", self._prefix + "schema"))
        old = None if own else _number_of(await self._link.ask_here("GET", _OLD + "schema"))
        old = None if old == _LEFT else old
        for schema in (own, old):
            if schema not in (None, SCHEMA) and schema not in MIGRATIONS:
                raise another_schema("the journal in Redis", schema, "choose another database")
        return own, old

    async def _prepare(self, own: int | None, old: int | None) -> None:
        """Brings the journal to the present schema; one that version 0.1 left moves here. May be repeated."""
        if own is None and old is not None:
            await self._link.ask("SET", _OLD + "owner", "")  # its actor, if there still is one, writes no more
            await self._copy(_OLD, old)
        elif own is not None and own != SCHEMA:
            await self._copy(self._prefix, own)
        if own is None:
            await self._link.ask_here("SET", _OLD + "schema", _LEFT)
            await self._link.ask_here("UNLINK", _OLD + "entries")
            await self._link.ask_here("UNLINK", _OLD + "works")
        if own != SCHEMA:
            await self._if_owner(scripts.SET_SCHEMA, SCHEMA)
        self._schema = SCHEMA

    async def _copy(self, prefix: str, schema: int) -> None:
        for name, migrated in (("entries", migrated_entry), ("works", migrated_work)):
            async for portion in self._scanned(prefix + name):
                for few in _portions(portion, AT_ONCE):
                    pairs = [part for task_id, value in few for part in (task_id, migrated(value, schema))]
                    await self._if_owner(scripts.PUT, name, *pairs)


def _size(command: Command) -> int:
    return sum(len(part) for part in command if isinstance(part, bytes))


def _portions(things: list[T], size: int) -> list[list[T]]:
    return [things[start : start + size] for start in range(0, len(things), size)]


def _number_of(value: object) -> int | None:
    return int(value) if isinstance(value, bytes) else None


def _refusal(reply: int) -> JournalBroken:
    if reply == scripts.NOT_THE_OWNER:
        return NotTheOwner("the journal in Redis has another owner now")
    return JournalBroken("the journal in Redis holds a newer state of this task already")
