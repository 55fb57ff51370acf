"""Ray's dashboard starts when it is opened; whoever opens it notices nothing else. These tests open a small server."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from scripts import dashboard
from scripts.dashboard import Dashboard, listen, url_of

ECHO = """
import asyncio, os, sys

async def echo(reader, writer):
    writer.write(b"%d\\n" % os.getpid())
    while data := await reader.read(1000):
        writer.write(data)
    with open(sys.argv[1] + ".ends", "a") as ends:
        ends.write("x")
    writer.close()

async def main():
    with open(sys.argv[1], "a") as starts:
        starts.write(f"{os.getpid()}\\n")
    port = int(sys.argv[2].removeprefix("--port="))
    await (await asyncio.start_server(echo, "127.0.0.1", port)).serve_forever()

asyncio.run(main())
"""
"""Notes its process id in the file that it is given, and tells it to whoever connects; notes when somebody hangs up."""


class Opened:
    """A dashboard that is served, and what has been started of it."""

    def __init__(self, address: tuple[str, int], starts: Path) -> None:
        self.address = address
        self._starts = starts

    @property
    def processes(self) -> list[int]:
        return [int(line) for line in self._starts.read_text().split()] if self._starts.exists() else []

    async def says(self, sent: bytes = b"") -> tuple[int, bytes]:
        """Who answers, and what comes back."""
        reader, writer = await asyncio.open_connection(*self.address)
        process = int(await reader.readline())
        writer.write(sent)
        answer = await reader.readexactly(len(sent))
        writer.close()
        return process, answer


@asynccontextmanager
async def served(command: list[str], starts: Path) -> AsyncIterator[Opened]:
    listener = listen()
    serving = asyncio.create_task(Dashboard(command).serve(listener))
    opened = Opened(listener.getsockname(), starts)
    try:
        yield opened
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        for process in opened.processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def echo(starts: Path) -> list[str]:
    return [sys.executable, "-c", ECHO, str(starts)]


async def test_it_starts_once_when_it_is_opened(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    async with served(echo(starts), starts) as opened:
        await asyncio.sleep(0.1)
        assert opened.processes == []
        answers = await asyncio.gather(*(opened.says(b"hello") for _ in range(5)))
        (process,) = opened.processes
        assert answers == [(process, b"hello")] * 5


async def test_all_is_passed_on(tmp_path: Path) -> None:
    """Also what is larger than one piece, both ways at once."""
    starts = tmp_path / "starts"
    sent = os.urandom(10 * dashboard.CHUNK_BYTES)
    async with served(echo(starts), starts) as opened:
        assert (await opened.says(sent))[1] == sent


async def test_whoever_hangs_up_is_hung_up_on(tmp_path: Path) -> None:
    """The connection to the dashboard ends with the one that was opened, and the other way round."""
    starts = tmp_path / "starts"
    async with served(echo(starts), starts) as opened:
        await opened.says()
        await asyncio.to_thread(_until_there, Path(f"{starts}.ends"))
        reader, writer = await asyncio.open_connection(*opened.address)
        os.kill(int(await reader.readline()), signal.SIGKILL)
        assert await reader.read() == b""
        writer.close()


def _until_gone(process: int) -> None:
    while psutil.pid_exists(process):
        time.sleep(0.01)


def _until_there(file: Path) -> None:
    while not file.exists():
        time.sleep(0.01)


async def test_it_is_started_again_after_its_end(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    async with served(echo(starts), starts) as opened:
        reader, writer = await asyncio.open_connection(*opened.address)
        first = int(await reader.readline())
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(_until_gone, first)  # while it dies, it may still take a connection
        writer.close()
        again, _ = await opened.says()
        assert opened.processes == [first, again]


async def test_where_it_does_not_start_the_line_is_closed(tmp_path: Path) -> None:
    """Each time that it is opened."""
    tries = tmp_path / "tries"
    failing = [sys.executable, "-c", f"open({str(tries)!r}, 'a').write('x'); raise SystemExit(1)"]
    async with served(failing, tmp_path / "starts") as opened:
        for times in (1, 2):
            reader, writer = await asyncio.open_connection(*opened.address)
            assert await reader.read() == b""
            writer.close()
            assert tries.read_text() == times * "x"


def test_it_takes_the_next_port_where_one_is_taken() -> None:
    """And any, where all are taken."""
    with listen() as one, listen() as other:
        ports = [listener.getsockname()[1] for listener in (one, other)]
    with listen(ports) as first, listen(ports) as second, listen(ports) as third:
        assert [url_of(listener) for listener in (first, second)] == [f"http://127.0.0.1:{port}" for port in ports]
        assert third.getsockname()[1] not in ports
