"""Ray's dashboard, started when it is first opened: a run at rest would need a fifth more memory for its processes.

Until then a run listens in its place; from then on it passes everything on. So whoever opens it waits for some seconds
the first time, and notices nothing else.
"""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress

from scripts import ports

HOST = "127.0.0.1"
PORTS = range(8265, 8316)
"""Those that Ray would try."""
STARTS_WITHIN_S = 60
CHUNK_BYTES = 2**16


def listen(among: Iterable[int] = PORTS) -> socket.socket:
    """Takes the first of these ports that can be had, or any other."""
    for port in among:
        with suppress(OSError):
            return socket.create_server((HOST, port))
    return socket.create_server((HOST, 0))


def url_of(listener: socket.socket) -> str:
    """Where the dashboard is to be opened."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


class Dashboard:
    """`command`, with `--port=` and a port, runs the dashboard. It is run anew if it has ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: Process | None = None
        self._port = 0
        self._starting = asyncio.Lock()

    async def serve(self, listener: socket.socket) -> None:
        """Passes on what comes to `listener`, for ever."""
        async with await asyncio.start_server(self._pass_on, sock=listener) as server:
            await server.serve_forever()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError), closing(writer):
            there = await self._connected()
            with closing(there[1]):
                await _joined((reader, writer), there)

    async def _connected(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the dashboard, which is started where it does not run.

        Raises:
            OSError: it does not start; its log says why.
        """
        has_tried = False
        async with self._starting, asyncio.timeout(STARTS_WITHIN_S):
            while True:
                if self._process is None or self._process.returncode is not None:
                    if has_tried:
                        raise ConnectionError("the dashboard does not start")
                    await self._start()
                    has_tried = True
                with suppress(OSError):
                    return await asyncio.open_connection(HOST, self._port)
                await asyncio.sleep(0.1)

    async def _start(self) -> None:
        self._port = ports.try_port(HOST, 0)
        command = [*self._command, f"--port={self._port}"]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)


async def _joined(*ends: tuple[StreamReader, StreamWriter]) -> None:
    """Returns once either end has closed, and all that it had sent is passed on."""
    (here, to_here), (there, to_there) = ends
    ways = {asyncio.create_task(_copied(here, to_there)), asyncio.create_task(_copied(there, to_here))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()


async def _copied(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(CHUNK_BYTES):
            sink.write(data)
            await sink.drain()
