"""The way to a Redis server: one that stands alone, one that Sentinel watches, or a node of a cluster.

All keys of a journal lie in one slot, so of a cluster too it needs one node at a time.
"""

import asyncio
from collections.abc import Sequence
from typing import TypeAlias, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit

from redis.asyncio.connection import AbstractConnection, ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, NoPermissionError, RedisError, ResponseError

from deployments.tasks.journal import JournalAway, JournalBroken, WriteUnknown

Command: TypeAlias = Sequence[str | bytes | int]

CONNECTIONS = 16
TIMEOUT_S = 10.0
CONNECT_S = 5.0


class RedisLink:
    """Exchanges commands for replies. `timeout_s` is how long it waits for one."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        # Without retries: whether a command may be sent again, its sender must say. Without the client's own timeout:
        # before Python 3.12, `asyncio.wait_for` may lose a cancellation.
        options: dict[str, object] = {
            "socket_timeout": None,
            "socket_connect_timeout": min(CONNECT_S, timeout_s),
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        self._first = self._pool = _pool(urlsplit(url), options)
        self._free = asyncio.Semaphore(CONNECTIONS)

    async def exchange(self, commands: Sequence[Command]) -> list[object]:
        """Sends the commands together, and returns the replies in their order; a refusal is a `JournalBroken`.

        Raises:
            JournalAway: nothing was sent.
            WriteUnknown: contact was lost before all replies had come.
        """
        async with self._free:
            replies = await self._exchange(commands)
        moved = [place for place, reply in enumerate(replies) if isinstance(reply, MovedError)]
        if moved:  # and not executed
            await self._follow(cast(MovedError, replies[moved[0]]))
            again = await self.exchange([commands[place] for place in moved])
            for place, reply in zip(moved, again, strict=True):
                replies[place] = reply
        return [_broken(reply) if isinstance(reply, RedisError) else reply for reply in replies]

    async def ask(self, *command: str | bytes | int) -> object:
        """The reply to a command that may be sent twice, such as one that reads.

        Raises:
            JournalBroken: there is none.
        """
        try:
            (reply,) = await self.exchange([command])
        except WriteUnknown as error:
            raise JournalAway(*error.args) from error
        if isinstance(reply, JournalBroken):
            raise reply
        return reply

    async def ask_here(self, *command: str | bytes | int) -> object:
        """The same for a key outside the journal's slot: None where another node has it, or this user may not."""
        async with self._free:
            (reply,) = await self._exchange([command])
        if isinstance(reply, MovedError | NoPermissionError):
            return None
        if isinstance(reply, RedisError):
            raise _broken(reply)
        return reply

    async def close(self) -> None:
        for pool in {self._pool, self._first}:
            await pool.disconnect()

    async def _exchange(self, commands: Sequence[Command]) -> list[object]:
        pool = self._pool
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            self._pool = self._first  # a node that it was sent to may be gone
            raise JournalAway(f"the journal in Redis cannot be reached: {str(error) or 'no answer'}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await self._reply(connection) for _ in commands]
        except (RedisError, OSError) as error:
            await connection.disconnect(nowait=True)
            raise WriteUnknown(f"contact with the journal in Redis was lost: {str(error) or 'no answer'}") from error
        except BaseException:  # a cancellation: replies that nobody reads must not be taken for the next one's
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)

    async def _reply(self, connection: AbstractConnection) -> object:
        try:
            async with asyncio.timeout(self._timeout_s):
                return cast(object, await connection.read_response())
        except ResponseError as refusal:
            return refusal

    async def _follow(self, moved: MovedError) -> None:
        known = self._pool.connection_kwargs
        kwargs = {**known, "host": moved.host or known.get("host"), "port": moved.port}
        former, self._pool = self._pool, ConnectionPool(self._pool.connection_class, **kwargs)
        await former.disconnect(inuse_connections=False)


def _broken(error: Exception) -> JournalBroken:
    return JournalBroken(f"the journal in Redis does not work: {error}")


def _pool(url: SplitResult, options: dict[str, object]) -> ConnectionPool:
    scheme, _, watched = url.scheme.partition("+")
    if not watched:
        return ConnectionPool.from_url(urlunsplit(url), **options)
    user, at, places = url.netloc.rpartition("@")
    _, service, *database = url.path.split("/")
    plain = url._replace(scheme=scheme, netloc=f"{user}{at}localhost", path="/".join(["", *database]))
    known: dict[str, object] = {**parse_url(urlunsplit(plain)), **options}
    for name in ("host", "connection_class"):
        known.pop(name, None)
    sentinels = [_place(place) for place in places.split(",")]
    to_sentinels = {name.removeprefix("sentinel_"): known.pop(name) for name in list(known) if "sentinel_" in name}
    sentinel = Sentinel(sentinels, sentinel_kwargs={**options, **to_sentinels})  # type: ignore[no-untyped-call]
    return SentinelConnectionPool(service, sentinel, ssl=scheme == "rediss", **known)  # type: ignore[no-untyped-call]


def _place(place: str) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    return parts.hostname or "localhost", parts.port or 26379
