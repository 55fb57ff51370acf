"""As much of an HTTP server as the emulator needs, with ways to misbehave that no proper server has."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came: `headers` by lower-case name, `query` by name."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`body` is JSON unless it is bytes; `missing` bytes of it are promised and never sent."""

    status: int = 200
    body: object = b""
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0

    def encoded(self) -> bytes:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = {} if isinstance(self.body, bytes) else {"Content-Type": "application/json"}
        headers = {**kind, **self.headers, "Content-Length": str(len(content))}
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + content[: len(content) - self.missing]


DROP = None
"""Instead of an answer: the connection is closed."""

Handler = Callable[[Asked], Awaitable[Answer | None]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None, port: int = 0) -> AsyncIterator[int]:
    """Serves on 127.0.0.1, and gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            while (answer := await handler(await _read(reader))) is not DROP:
                writer.write(answer.encoded())
                await writer.drain()
                if answer.missing:
                    break
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls, limit=2**20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    method, target, _ = request.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, headers.get("host", ""), url.path, query, headers, body)
