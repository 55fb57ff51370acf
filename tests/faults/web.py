"""A web server on loopback whose paths misbehave, each in its own named way; it remembers what it was asked."""

import asyncio
import gzip
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

PICTURE = b"\x89PNG\r\n\x1a\n the bytes of a picture"

Fault = Callable[[asyncio.StreamWriter, "Asked"], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """One request as it came: `headers` by lower-case name, `query` by name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


TAKEN_IN_SILENCE = 0
"""Among `Web.answers`: the PUT is taken, and the connection closed instead of an answer."""


@dataclass
class Web:
    """`answers` are the statuses, with headers, that PUTs get, in turn; then 200. `stored` is what was taken, by path.

    `troubles` befall the next requests, one each. A connection serves `per_connection` requests, and is closed, without
    a word, only when it is used again.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    troubles: list[Fault] = field(default_factory=list)
    per_connection: int = 1_000_000
    names: list[str | None] = field(default_factory=list)
    """The server names (SNI) that TLS clients asked for."""


def _head(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Status", *headers, "", ""]).encode()


async def picture(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """With the status and the Content-Encoding that the query asks for."""
    headers = [f"Content-Encoding: {asked.query['coding']}"] if "coding" in asked.query else []
    headers += [f"Content-Length: {len(PICTURE)}", "Set-Cookie: session=another-caller"]
    writer.write(_head(int(asked.query.get("status", 200)), *headers) + PICTURE)


async def says(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """Whatever the query spells out in hexadecimal digits."""
    writer.write(bytes.fromhex(asked.query["hex"]))


async def answers(writer: asyncio.StreamWriter, asked: Asked) -> None:
    """The status that the query asks for, and nothing more."""
    writer.write(_head(int(asked.query["status"]), "Content-Length: 0"))


async def redirects(writer: asyncio.StreamWriter, asked: Asked) -> None:
    writer.write(_head(302, f"Location: {asked.query['to']}", "Content-Length: 0"))


async def redirects_with_endless_body(writer: asyncio.StreamWriter, asked: Asked) -> None:
    writer.write(_head(302, f"Location: {asked.query['to']}", "Transfer-Encoding: chunked"))
    await _endless_chunks(writer)


async def closes(_: asyncio.StreamWriter, __: Asked) -> None:
    """Without a word."""


async def resets(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.transport.abort()


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


async def breaks_a_chunk(writer: asyncio.StreamWriter, _: Asked) -> None:
    """Off in the middle."""
    writer.write(_head(200, "Transfer-Encoding: chunked") + b"10\r\nfew")


async def muddles_chunks(writer: asyncio.StreamWriter, _: Asked) -> None:
    """A chunk whose size is no number."""
    writer.write(_head(200, "Transfer-Encoding: chunked") + b"3\r\nfew\r\nmany\r\n")


async def overflows(writer: asyncio.StreamWriter, _: Asked) -> None:
    """More bytes than promised."""
    writer.write(_head(200, "Content-Length: 3") + b"and" + b"more" * 1000)


async def compressed(writer: asyncio.StreamWriter, asked: Asked) -> None:
    bomb = gzip.compress(bytes(1_000_000))
    coding = asked.query.get("coding", "gzip")
    writer.write(_head(200, f"Content-Encoding: {coding}", f"Content-Length: {len(bomb)}") + bomb)


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
        says,
        redirects,
        redirects_with_endless_body,
        closes,
        resets,
        hangs,
        hangs_midway,
        drips,
        endless,
        endless_headers,
        breaks_off,
        breaks_a_chunk,
        muddles_chunks,
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
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, url.path, query, headers, body)


async def _store(writer: asyncio.StreamWriter, web: Web, asked: Asked) -> bool:
    """Takes a PUT, or gives back what was taken; says whether the connection goes on."""
    if asked.method == "GET":
        found = web.stored.get(asked.path)
        body = found or b""
        writer.write(_head(404 if found is None else 200, f"Content-Length: {len(body)}") + body)
        return True
    status, header = web.answers.pop(0) if web.answers else (200, "")
    if status == TAKEN_IN_SILENCE or 200 <= status < 300:
        web.stored[asked.path] = asked.body
    if status != TAKEN_IN_SILENCE:
        writer.write(_head(status, *([header] if header else []), "Content-Length: 0"))
    return status != TAKEN_IN_SILENCE


async def _answer(writer: asyncio.StreamWriter, web: Web, asked: Asked) -> bool:
    """Answers, or does not; says whether the connection goes on."""
    if web.troubles:
        await web.troubles.pop(0)(writer, asked)
        return False
    if asked.path not in FAULTS:
        return await _store(writer, web, asked)
    await FAULTS[asked.path](writer, asked)
    return asked.path in {"/picture", "/answers", "/redirects"}


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
            for number in itertools.count(1):
                asked = await _read(reader)
                web.asked.append(asked)
                if number > web.per_connection or not await _answer(writer, web, asked):
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
