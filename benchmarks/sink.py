"""Where uploads go: a server on loopback that takes every PUT, throws it away, and tells when it came. Webhooks, which
are POSTs, it takes without a word. Whatever is read from it is the photo of every task.

It lives in the client's own process, so that the client learns that a task's work is done without asking.
"""

import asyncio
import time
from typing import Self

from benchmarks import task

_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_PICTURE = task.picture()
_PHOTO = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%b" % (len(_PICTURE), _PICTURE)


class Sink:
    """What has come so far, and who waits for what."""

    def __init__(self) -> None:
        self.taken = 0
        self.port = 0
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def arrival(self, name: str) -> asyncio.Future[float]:
        """When the upload `name` comes, on the monotonic clock."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        return future

    def take(self, name: str) -> None:
        self.taken += 1
        if (future := self._waiting.pop(name, None)) and not future.done():
            future.set_result(time.monotonic())


class _Connection(asyncio.Protocol):
    """As many requests as its other end sends."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._read) < end + 4 + length:
                return
            method, path, _ = head.split(b" ", 2)
            if method == b"put":
                self._sink.take(path.decode().lstrip("/"))
            self._read = self._read[end + 4 + length :]
            if self._transport:
                self._transport.write(_PHOTO if method == b"get" else _TAKEN)
