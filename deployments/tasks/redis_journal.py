"""The journal in a Redis server: for a cluster, whose actor may start again on another machine.

It is as durable as the server: run that with `appendonly yes` and `appendfsync always`.
"""

from typing import cast
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from deployments.tasks.entry import Entry
from deployments.tasks.journal import ENTRY, SCHEMA, WORK, JournalBroken
from deployments.tasks.migrations import MIGRATIONS, migrated_entry, migrated_work
from deployments.tasks.work import Work

_OWNER, _SCHEMA, _ENTRIES, _WORKS = (f"aige:journal:{name}" for name in ("owner", "schema", "entries", "works"))

# An actor that was replaced may live on for a moment: whoever read the journal last owns it, and nobody else writes.
_IF_OWNER = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('another process owns it now') end "
_WRITE = _IF_OWNER + (
    "redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) "
    "if ARGV[4] == 'drop' then redis.call('HDEL', KEYS[3], ARGV[2]) "
    "elseif ARGV[4] == 'put' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[5]) end"
)
_FORGET = (
    _IF_OWNER + "for i = 2, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) redis.call('HDEL', KEYS[3], ARGV[i]) end"
)
_TOUCH = _IF_OWNER + "redis.call('SET', KEYS[2], ARGV[2])"
_MIGRATE = _IF_OWNER + (  # ARGV: token, schema, then a name, an id and a value for each
    "for i = 3, #ARGV, 3 do redis.call('HSET', ARGV[i], ARGV[i + 1], ARGV[i + 2]) end "
    "redis.call('SET', KEYS[2], ARGV[2])"
)


class RedisJournal:
    """A `Journal` in the database that `url` names."""

    def __init__(self, url: str) -> None:
        # A pool that is used up makes writes wait; the ordinary one refuses them.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=16, timeout=None, socket_timeout=10, socket_connect_timeout=5
        )
        self._redis = Redis(connection_pool=pool)
        self._token = uuid4().hex

    async def read(self) -> list[Entry]:
        await self._ask("SETNX", _SCHEMA, SCHEMA)
        schema = int(cast(bytes, await self._ask("GET", _SCHEMA)))
        if schema != SCHEMA and schema not in MIGRATIONS:
            raise JournalBroken(
                f"the journal in Redis was written by another version of AIGE (schema {schema}, this one has "
                f"{SCHEMA}): run that version until its tasks have ended, or choose another database"
            )
        await self._ask("SET", _OWNER, self._token)
        if schema != SCHEMA:
            await self._migrate(schema)
        values = await self._ask("HVALS", _ENTRIES)
        return [ENTRY.validate_json(value) for value in values] if isinstance(values, list) else []

    async def read_entry(self, task_id: str) -> Entry | None:
        entry = await self._ask("HGET", _ENTRIES, task_id)
        return ENTRY.validate_json(entry) if isinstance(entry, bytes) else None

    async def read_work(self, task_id: str) -> Work | None:
        work = await self._ask("HGET", _WORKS, task_id)
        return WORK.validate_json(work) if isinstance(work, bytes) else None

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        if entry.task.is_ended:
            with_work: tuple[str | bytes, ...] = ("drop",)
        else:
            with_work = ("keep",) if work is None else ("put", WORK.dump_json(work))
        keys = (_OWNER, _ENTRIES, _WORKS)
        await self._ask("EVAL", _WRITE, 3, *keys, self._token, entry.task.id, ENTRY.dump_json(entry), *with_work)

    async def forget(self, task_ids: list[str]) -> None:
        await self._ask("EVAL", _FORGET, 3, _OWNER, _ENTRIES, _WORKS, self._token, *task_ids)

    async def touch(self) -> None:
        await self._ask("EVAL", _TOUCH, 2, _OWNER, _SCHEMA, self._token, str(SCHEMA))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _migrate(self, schema: int) -> None:
        """All at once: a journal is of one schema or of the other. Nobody else writes meanwhile: this one owns it."""
        values: list[str | bytes] = []
        for name, migrated in ((_ENTRIES, migrated_entry), (_WORKS, migrated_work)):
            old = cast(dict[bytes, bytes], await self._ask("HGETALL", name))
            for task_id, value in old.items():
                values += [name, task_id, migrated(value, schema)]
        await self._ask("EVAL", _MIGRATE, 2, _OWNER, _SCHEMA, self._token, str(SCHEMA), *values)

    async def _ask(self, *command: str | bytes | int) -> object:
        try:
            answer: object = await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise JournalBroken(f"the journal in Redis does not work: {error}") from error
        return answer
