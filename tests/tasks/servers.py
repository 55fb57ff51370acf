"""Real servers for journals, and a network between them and their clients that does what networks do."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Literal

READY = "ready to accept connections"


@contextmanager
def redis(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a Redis server on a socket in `folder`."""
    program = shutil.which("redis-server")
    assert program, "these tests need a Redis server: install Debian's package redis-server"
    where = ["--port", "0", "--unixsocket", str(folder / "s"), "--dir", str(folder)]
    durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    with subprocess.Popen([program, *where, *durable, *options], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any(READY in line.lower() for line in server.stdout)
        try:
            yield f"unix://{folder / 's'}"
        finally:
            server.kill()


@contextmanager
def sentinel(config: Path) -> Iterator[None]:
    """A Redis Sentinel with this configuration, once it knows the master."""
    with subprocess.Popen(["redis-server", config, "--sentinel"], stdout=subprocess.PIPE, text=True) as server:  # noqa: S607
        assert server.stdout is not None
        assert any("+monitor master" in line for line in server.stdout)
        try:
            yield
        finally:
            server.kill()


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server on a socket of its own."""
    initdb = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    assert initdb, "these tests need a PostgreSQL server: install Debian's package postgresql"
    folder = Path(tempfile.mkdtemp(prefix="aige-postgres-"))
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    try:
        if user:
            shutil.chown(folder, user)
        make = [str(initdb), "--pgdata", str(folder / "data"), "--username", "aige", "--auth", "trust", "--no-sync"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        where = ["-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="]
        with subprocess.Popen(
            [Path(initdb).with_name("postgres"), *where], stderr=subprocess.PIPE, text=True, user=user, cwd=folder
        ) as server:
            assert server.stderr is not None
            assert any(READY in line for line in server.stderr)
            try:
                yield f"postgresql://aige@/postgres?host={folder}"
            finally:
                server.send_signal(signal.SIGQUIT)  # at once: on SIGTERM it would wait for its clients
    finally:
        shutil.rmtree(folder)


class Network:
    """Carries bytes between clients and the server at the socket `path`; `url_of` makes a URL from a port.

    What it does to the next bytes from a client that hold `marked` is set with `befall`: their reply is *lost* with the
    connection, or they are *held* back until `deliver`, while the client waits in vain. After `cut`, nobody gets
    through.
    """

    def __init__(self, path: str, url_of: Callable[[int], str]) -> None:
        self._path = path
        self._url_of = url_of
        self._fate: Literal["lost", "held"] | None = None
        self._marked = b""
        self._held: list[tuple[asyncio.StreamWriter, bytes, asyncio.Event]] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._returning: set[asyncio.Task[None]] = set()
        self.url = ""
        self.is_cut = False

    def befall(self, fate: Literal["lost", "held"], marked: bytes = b"") -> None:
        self._fate, self._marked = fate, marked

    async def deliver(self) -> None:
        """What was held back arrives at the server, though its client has gone; returns once it was answered."""
        for server, data, answered in self._held:
            answered.clear()
            server.write(data)
            await answered.wait()
        self._held.clear()

    def cut(self) -> None:
        """Breaks all connections, and lets nobody through any more."""
        self.is_cut = True
        for writer in self._open:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        from_server, to_server = await asyncio.open_unix_connection(self._path)
        self._open |= {writer, to_server}
        lost, answered = asyncio.Event(), asyncio.Event()

        async def back() -> None:
            while data := await from_server.read(1 << 16):
                answered.set()
                if lost.is_set():
                    break
                writer.write(data)
            writer.close()

        self._returning.add(asyncio.create_task(back()))
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                fate = self._fate if self._marked in data else None
                self._fate = None if fate else self._fate
                if fate == "held":
                    self._held.append((to_server, data, answered))
                    continue
                if fate == "lost":
                    lost.set()
                to_server.write(data)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Network"]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = self._url_of(server.sockets[0].getsockname()[1])
        yield self
        server.close()
        self.cut()
