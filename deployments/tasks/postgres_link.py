"""The way to a PostgreSQL server: one connection, one statement at a time."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus

from deployments.tasks.journal import JournalAway, JournalBroken, WriteUnknown

TIMEOUT_S = 10.0

Parameters: TypeAlias = Mapping[str, object]
Row: TypeAlias = tuple[object, ...]


class PostgresLink:
    """One connection, made anew when it was lost; one statement at a time."""

    def __init__(self, url: str, timeout_s: float) -> None:
        options = "-c synchronous_commit=on -c lock_timeout=5s"
        self._where = make_conninfo(url, options=options, connect_timeout=5, tcp_user_timeout=round(timeout_s * 1000))
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection[Row] | None = None

    async def run(self, query: str, parameters: Parameters) -> list[Row]:
        """Runs a statement, which is a transaction.

        Raises:
            JournalAway: it was not sent.
            JournalBroken: it was refused.
            WriteUnknown: contact was lost before its answer had come.
        """
        async with self._turn:
            connection = await self._connected()
            running = asyncio.ensure_future(_run(connection, query, parameters))
            try:
                await asyncio.wait({running}, timeout=self._timeout_s)
                if running.done():
                    return running.result()
                raise WriteUnknown("the journal in PostgreSQL does not answer")
            except psycopg.Error as error:
                if _is_refusal(error):
                    raise _broken(error) from error
                raise WriteUnknown(f"contact with the journal in PostgreSQL was lost: {error}") from error
            finally:
                if not running.done() or connection.pgconn.status != ConnStatus.OK:
                    await self._drop(running)

    async def close(self) -> None:
        await self._drop()

    async def _connected(self) -> AsyncConnection[Row]:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = await AsyncConnection.connect(self._where, autocommit=True)
            except (psycopg.Error, OSError) as error:
                raise JournalAway(f"the journal in PostgreSQL cannot be reached: {error}") from error
        return self._connection

    async def _drop(self, running: asyncio.Future[list[Row]] | None = None) -> None:
        """Closes the connection; what runs on it fails at once, for psycopg would first ask the server to end it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if running is not None and not running.done():
            with socket.socket(fileno=os.dup(connection.fileno())) as its_socket, suppress(OSError):
                its_socket.shutdown(socket.SHUT_RDWR)
            await asyncio.wait({running})
            running.exception()
        await connection.close()


async def _run(connection: AsyncConnection[Row], query: str, parameters: Parameters) -> list[Row]:
    cursor = await connection.execute(query.encode(), parameters, binary=True)
    return await cursor.fetchall() if cursor.description else []


def _is_refusal(error: psycopg.Error) -> bool:
    """Whether the server says that nothing happened; not where it is shutting down, or the connection broke."""
    return error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P"))


def _broken(error: Exception) -> JournalBroken:
    return JournalBroken(f"the journal in PostgreSQL does not work: {error}")
