"""A web server on loopback whose paths misbehave, each in its own named way; it remembers what it was asked."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

PICTURE = b"\x89PNG the bytes of a picture"

Fault = Callable[[asyncio.StreamWriter, "Asked"], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """One request as it came: `headers` by lower-case name, `query` by name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """`answers` are the statuses, with headers, that PUTs get, in turn; then 200."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The server names (SNI) that TLS clients asked for."""


def _head(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Status", *headers, "", ""]).encode("latin-1")


async def picture(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.write(_head(200, f"Content-Length: {len(PICTURE)}", "Set-Cookie: session=another-caller") + PICTURE)


async def answers(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """The status that the query asks for, and nothing more."""
    writer.write(_head(int(asked.query["status"]), "Content-Length: 0"))


async def redirects(writer: asyncio.StreamWriter, asked: Asked) -> None:
    writer.write(_head(302, f"Location: {asked.query['to']}", "Content-Length: 0"))


async def redirects_with_endless_body(writer: asyncio.StreamWriter, asked: Asked) -> None:
    writer.write(_head(302, f"Location: {asked.query['to']}", "Transfer-Encoding: chunked"))
    await _endless_chunks(writer)


async def hangs(_: asyncio.StreamWriter, __: Asked) -> None:
    await asyncio.Event().wait()


async def hangs_midway(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.write(_head(200, "Content-Length: 1000") + b"the beginning")
    await asyncio.Event().wait()


async def drips(writer: asyncio.StreamWriter, _: Asked) -> None:
    """A byte whenever a reader might lose its patience, for ever (slow loris)."""
    writer.write(_head(200, "Content-Length: 1000000"))
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.005)


async def endless(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.write(_head(200, "Transfer-Encoding: chunked"))
    await _endless_chunks(writer)


async def endless_headers(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def breaks_off(writer: asyncio.StreamWriter, _: Asked) -> None:
    """Fewer bytes than promised."""
    writer.write(_head(200, "Content-Length: 1000") + b"few")


async def overflows(writer: asyncio.StreamWriter, _: Asked) -> None:
    """More bytes than promised."""
    writer.write(_head(200, "Content-Length: 3") + b"and" + b"more" * 1000)


async def compressed(writer: asyncio.StreamWriter, _: Asked) -> None:
    bomb = gzip.compress(bytes(1_000_000))
    writer.write(_head(200, "Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb)


async def no_http(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")


async def _endless_chunks(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


FAULTS: dict[str, Fault] = {
    f"/{fault.__name__}": fault
    for fault in (
        picture,
        answers,
        redirects,
        redirects_with_endless_body,
        hangs,
        hangs_midway,
        drips,
        endless,
        endless_headers,
        breaks_off,
        overflows,
        compressed,
        no_http,
    )
}


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    method, target, _ = request.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, url.path, query, headers, body)


async def _take(writer: asyncio.StreamWriter, web: Web) -> None:
    status, header = web.answers.pop(0) if web.answers else (200, "")
    writer.write(_head(status, *([header] if header else []), "Content-Length: 0"))


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """The server on a free port of 127.0.0.1; `tls` makes it speak https. PUTs elsewhere than to a fault are taken."""
    web = Web()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: web.names.append(name)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                asked = await _read(reader)
                web.asked.append(asked)
                if asked.path not in FAULTS:
                    await _take(writer, web)
                    continue
                await FAULTS[asked.path](writer, asked)
                break
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
