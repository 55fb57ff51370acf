"""The journal in a PostgreSQL database: for a cluster that has no Redis which can sync each write.

It makes three tables. Each batch of writes is one statement, and so one transaction: it changes the application's row
in `aige_journals` if that still has the owner's epoch and an older batch number, and writes only then. So neither a
former owner nor a batch that the network held back can write.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, cast

from deployments.tasks.batches import Answers, Batches, Pace
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
    JournalAway,
    Kept,
    NotTheOwner,
    WriteUnknown,
    another_schema,
    entry_of,
    readable,
)
from deployments.tasks.postgres_link import TIMEOUT_S, Parameters, PostgresLink, Row
from deployments.tasks.work import Work

MOST = 1_000
"""Writes in a statement."""
WANTED_S = 3
"""How long the journal is kept free for the cluster that asked for it last."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS aige_journals (
    app text PRIMARY KEY, schema int NOT NULL, epoch bigint NOT NULL DEFAULT 0, batch bigint NOT NULL DEFAULT 0,
    owner text, busy text[] NOT NULL DEFAULT '{}', until timestamptz, is_released bool NOT NULL DEFAULT false,
    home_until timestamptz, wanted text, wanted_until timestamptz
    )""",
    "CREATE TABLE IF NOT EXISTS aige_entries (app text, id text, entry bytea NOT NULL, PRIMARY KEY (app, id))",
    "CREATE TABLE IF NOT EXISTS aige_works (app text, id text, work bytea NOT NULL, PRIMARY KEY (app, id))",
)
_NEW = "INSERT INTO aige_journals (app, schema) VALUES (%(app)s, %(schema)s) ON CONFLICT DO NOTHING"
_TAKE = """
WITH former AS (
    SELECT app, schema, extract(epoch FROM greatest(until - clock_timestamp(), '0'))::float8 AS left_s,
        owner <> %(cluster)s AND owner = ANY (busy) AND %(cluster)s = ANY (busy) AS is_retired,
        %(by_force)s OR (
            (wanted IS NULL OR wanted = %(cluster)s OR wanted_until <= clock_timestamp())
            AND (owner IS NULL OR owner = %(cluster)s OR is_released
                OR until <= clock_timestamp() AND (%(is_busy)s OR home_until <= clock_timestamp()))
        ) AS is_free
    FROM aige_journals WHERE app = %(app)s FOR UPDATE
), taken AS (
    UPDATE aige_journals
    SET epoch = epoch + 1, batch = 0, owner = %(cluster)s, is_released = false, wanted = NULL,
        until = clock_timestamp() + %(lease)s * interval '1 s',
        home_until = clock_timestamp() + %(home)s * interval '1 s',
        busy = CASE WHEN %(is_busy)s THEN array_remove(busy, %(cluster)s) || %(cluster)s::text ELSE busy END
    FROM former WHERE aige_journals.app = former.app AND former.schema = %(schema)s AND is_free
    RETURNING epoch
)
SELECT schema, left_s, is_retired, (SELECT epoch FROM taken) FROM former
"""
_RENEW = """
UPDATE aige_journals
SET until = clock_timestamp() + %(lease)s * interval '1 s',
    home_until = clock_timestamp() + %(home)s * interval '1 s',
    busy = CASE WHEN %(is_busy)s THEN array_remove(busy, %(cluster)s) || %(cluster)s::text ELSE busy END
WHERE app = %(app)s AND epoch = %(epoch)s
RETURNING coalesce(wanted <> owner AND wanted_until > clock_timestamp(), false)
"""
_ASK = """
UPDATE aige_journals SET wanted = %(cluster)s, wanted_until = clock_timestamp() + %(wanted)s * interval '1 s'
WHERE app = %(app)s
"""
_RELEASE = """
UPDATE aige_journals SET is_released = true, until = clock_timestamp()
WHERE app = %(app)s AND epoch = %(epoch)s
"""
_SET_SCHEMA = "UPDATE aige_journals SET schema = %(schema)s WHERE app = %(app)s AND epoch = %(epoch)s RETURNING app"
_WRITE = """
WITH fence AS (
    UPDATE aige_journals SET batch = %(batch)s
    WHERE app = %(app)s AND epoch = %(epoch)s AND batch < %(batch)s RETURNING app
), entries AS (
    INSERT INTO aige_entries SELECT app, id, entry
    FROM fence, unnest(%(entry_ids)s::text[], %(entries)s::bytea[]) AS new (id, entry)
    ON CONFLICT (app, id) DO UPDATE SET entry = excluded.entry
), works AS (
    INSERT INTO aige_works SELECT app, id, work
    FROM fence, unnest(%(work_ids)s::text[], %(works)s::bytea[]) AS new (id, work)
    ON CONFLICT (app, id) DO UPDATE SET work = excluded.work
), without_work AS (
    DELETE FROM aige_works USING fence WHERE aige_works.app = fence.app AND id = ANY (%(without_work)s)
), forgotten AS (
    DELETE FROM aige_entries USING fence WHERE aige_entries.app = fence.app AND id = ANY (%(forgotten)s)
)
SELECT count(*) FROM fence
"""
_UNFINISHED = """
SELECT id, entry, length(work) FROM aige_works JOIN aige_entries USING (app, id) WHERE app = %(app)s
"""
_ENDED = """
SELECT id, entry FROM aige_entries
WHERE app = %(app)s AND id > %(after)s
  AND NOT EXISTS (SELECT FROM aige_works WHERE aige_works.app = aige_entries.app AND aige_works.id = aige_entries.id)
ORDER BY id LIMIT %(portion)s
"""


class _Change(NamedTuple):
    """One task's new entry and work. `work` is `""` to keep the old one, None to drop it; no entry: forget the task."""

    task_id: str
    entry: bytes | None
    work: bytes | str | None


class PostgresJournal:
    """The `Journal` of the application `app` in the database that `url` names."""

    is_leased = True

    def __init__(self, url: str, app: str, timeout_s: float = TIMEOUT_S) -> None:
        self._app = app
        self._writing = PostgresLink(url, timeout_s)
        self._reading = PostgresLink(url, timeout_s)
        self._leasing = PostgresLink(url, timeout_s)  # of its own: nothing large holds up the lease
        # One batch after the other: if two were on their way and swapped places, the older one would be refused.
        self._writes = Batches(self._send, _size, most=MOST, pace=Pace(transit_s=2 * timeout_s))
        self._cluster = ""
        self._lease_s = 0.0
        self._epoch = 0
        self._batch = 0

    async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
        """See `Journal`."""
        self._cluster, self._lease_s = cluster, lease_s
        for table in _TABLES:
            await self._ask(self._leasing, table)
        await self._ask(self._leasing, _NEW, schema=SCHEMA)
        is_busy, by_force = ground is not Ground.IDLE, ground is Ground.FORCE
        ((schema, left_s, is_retired, epoch),) = await self._ask(
            self._leasing, _TAKE, schema=SCHEMA, by_force=by_force, **self._leased(is_busy=is_busy)
        )
        if schema != SCHEMA:
            raise another_schema("the journal in PostgreSQL", cast(int, schema), "choose another database")
        left_s = cast(float | None, left_s) or 0.0
        if epoch is None:
            return Hold(is_mine=False, left_s=left_s, retired=bool(is_retired))
        self._epoch, self._batch = cast(int, epoch), 0
        return Hold(is_mine=True, left_s=left_s, epoch=self._epoch)

    async def renew(self, *, is_busy: bool = False) -> bool:
        """See `Journal`."""
        renewed = await self._ask(self._leasing, _RENEW, epoch=self._epoch, **self._leased(is_busy=is_busy))
        if not renewed:
            raise _not_the_owner()
        return bool(renewed[0][0])

    async def ask_for_it(self) -> None:
        """See `Journal`."""
        await self._ask(self._leasing, _ASK, cluster=self._cluster, wanted=WANTED_S)

    async def release(self) -> None:
        """See `Journal`."""
        await self._ask(self._leasing, _RELEASE, epoch=self._epoch)

    async def unfinished(self) -> list[Kept]:
        """See `Journal`."""
        rows = cast(list[tuple[str, bytes, int]], await self._ask(self._reading, _UNFINISHED))
        return [Kept(entry_of(task_id, entry), size) for task_id, entry, size in rows]

    async def ended(self) -> AsyncIterator[list[Entry]]:
        """See `Journal`."""
        last = ""
        while rows := await self._ask(self._reading, _ENDED, after=last, portion=PORTION):
            entries = cast(list[tuple[str, bytes]], rows)
            last, _ = entries[-1]
            yield readable(entries)

    async def read_entry(self, task_id: str) -> Entry | None:
        """See `Journal`."""
        query = "SELECT entry FROM aige_entries WHERE app = %(app)s AND id = %(id)s"
        rows = await self._ask(self._reading, query, id=task_id)
        return entry_of(task_id, cast(bytes, rows[0][0])) if rows else None

    async def read_work(self, task_id: str) -> Work | None:
        """See `Journal`."""
        query = "SELECT work FROM aige_works WHERE app = %(app)s AND id = %(id)s"
        rows = await self._ask(self._reading, query, id=task_id)
        return WORK.validate_json(cast(bytes, rows[0][0])) if rows else None

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        """See `Journal`."""
        kept: bytes | str | None = "" if work is None else WORK.dump_json(work)
        change = _Change(entry.task.id, ENTRY.dump_json(entry), None if entry.task.is_ended else kept)
        await self._writes.ask([change])

    async def forget(self, task_ids: list[str]) -> None:
        """See `Journal`."""
        await self._writes.ask([_Change(task_id, None, None) for task_id in task_ids])

    async def touch(self) -> None:
        """See `Journal`."""
        await self._writes.ask([])

    async def set_whole(self, *, is_whole: bool) -> None:
        """See `Journal`."""
        if not await self._ask(self._leasing, _SET_SCHEMA, epoch=self._epoch, schema=SCHEMA if is_whole else PART):
            raise _not_the_owner()

    async def close(self) -> None:
        """See `Journal`."""
        for link in (self._writing, self._reading, self._leasing):
            await link.close()

    async def _ask(self, link: PostgresLink, query: str, **parameters: object) -> list[Row]:
        """The rows of a statement that may run twice, so an unknown outcome counts as not reached."""
        try:
            return await link.run(query, {**parameters, "app": self._app})
        except WriteUnknown as error:
            raise JournalAway(*error.args) from error

    async def _send(self, writes: Sequence[list[_Change]]) -> Answers[None]:
        changes = {change.task_id: change for write in writes for change in write}
        self._batch += 1
        ((written,),) = await self._writing.run(_WRITE, {**_columns(list(changes.values())), **self._fence()})
        if not written:
            raise _not_the_owner()
        yield [(place, None) for place, _ in enumerate(writes)]

    def _leased(self, *, is_busy: bool) -> Parameters:
        """The parameters that set the lease."""
        home_s = HOME_LEASES * self._lease_s
        return {"cluster": self._cluster, "lease": self._lease_s, "home": home_s, "is_busy": is_busy}

    def _fence(self) -> Parameters:
        return {"app": self._app, "epoch": self._epoch, "batch": self._batch}


def _columns(changes: list[_Change]) -> Parameters:
    """The parameters of `_WRITE`."""
    with_entry = [change for change in changes if change.entry is not None]
    with_work = [change for change in changes if isinstance(change.work, bytes)]
    return {
        "entry_ids": [change.task_id for change in with_entry],
        "entries": [change.entry for change in with_entry],
        "work_ids": [change.task_id for change in with_work],
        "works": [change.work for change in with_work],
        "without_work": [change.task_id for change in changes if change.work is None],
        "forgotten": [change.task_id for change in changes if change.entry is None],
    }


def _size(changes: list[_Change]) -> int:
    return sum(len(part) for change in changes for part in (change.entry, change.work) if part)


def _not_the_owner() -> NotTheOwner:
    return NotTheOwner("the journal in PostgreSQL has another owner now")
