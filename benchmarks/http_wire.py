"""HTTP/1.1 at its barest, so that the client costs little beside what it measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

from benchmarks.wrk import Call

_LAST_CHUNK = b"0\r\n"


class Connection:
    """One keep-alive connection. Not for two requests at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._authorization = f"Authorization: Bearer {key}\r\n" if key else ""

    @classmethod
    async def to(cls, port: int, key: str | None = None) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20), key)

    async def ask(self, call: Call) -> tuple[int, bytes]:
        """The answer's status and body."""
        self._send(call)
        status, headers = await self._head()
        if headers.get(b"transfer-encoding") == b"chunked":
            return status, b"".join([chunk async for chunk in self._chunks()])
        return status, await self._reader.readexactly(int(headers.get(b"content-length", 0)))

    async def events(self, path: str) -> AsyncIterator[bytes]:
        """The data of server-sent events, until the stream ends.

        Raises:
            ConnectionError: the answer was no stream.
        """
        self._send(Call("GET", path))
        status, _ = await self._head()
        if status != 200:
            raise ConnectionError(f"{path} answered {status}")
        while (line := await self._reader.readline()) not in {b"", _LAST_CHUNK}:  # other chunks' sizes are passed over
            if line.startswith(b"data: "):
                yield line[6:]

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, call: Call) -> None:
        head = f"{call.method} {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._authorization}"
        if call.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(call.body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + call.body)

    async def _head(self) -> tuple[int, dict[bytes, bytes]]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].split(b"\r\n")
        pairs = (line.split(b":", 1) for line in lines)
        return int(first[9:12]), {name.lower(): value.strip() for name, value in pairs}

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readline(), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
