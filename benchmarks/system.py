"""A system under measurement: how it is started, and how it is spoken with. Each figure is written once, for all."""

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil

from benchmarks import task
from benchmarks.http_wire import Connection
from benchmarks.sink import Sink
from benchmarks.wrk import ROOT, Call
from scripts import processes

STARTS_WITHIN_S = 120
ENDS_WITHIN_S = 60
BESIDE = "beside"
NOT_READY = (OSError, ValueError, LookupError, EOFError, AssertionError)
"""What speaking to a system that is not there, or not quite, may raise."""


@dataclass(frozen=True)
class Api:
    """How a system's HTTP interface speaks of tasks."""

    submit: str = "/avatar"
    status: str = "/task/{}/status"
    id_key: str = "aige_task_id"
    done: str = "done"
    events: str | None = None
    """The path of a task's event stream, where there is one."""
    key: str | None = None
    """The API key that each request is sent with."""
    tells: bool = False
    """Whether the end of each task is told to the sink, by a webhook."""


class Place(NamedTuple):
    """Where a system runs."""

    folder: Path
    port: int
    """Where it is to serve."""
    spare_port: int
    sink_port: int


@dataclass(frozen=True)
class Service:
    """One program of a system: its command line, and what it finds in its environment beside ours."""

    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)


class System(Protocol):
    """What is measured. `name` is its key in the results, `title` what the table says."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def api(self) -> Api: ...

    def services(self, place: Place) -> list[Service]:
        """The programs that make it up, in the order in which they start."""
        ...


class Usage(NamedTuple):
    """What all processes of a system have taken."""

    cpu_s: float
    memory_bytes: int
    """Shared pages are counted once."""
    processes: frozenset[int]
    """Their ids."""


class Running:
    """A system that runs, or is being started, in `place`."""

    def __init__(self, system: System, place: Place, sink: Sink) -> None:
        self.name = system.name
        self.api = system.api
        self.port = place.port
        self.folder = place.folder
        self.sink = sink
        self._system = system
        self._place = place
        self._programs: list[subprocess.Popen[bytes]] = []
        self._names = count()

    async def start(self) -> None:
        """Returns once a first task is done.

        Raises:
            RuntimeError: it does not start; shows the end of its log.
        """
        with (self.folder / "log").open("ab") as log:
            self._programs = [
                _start(service, self._place, log.fileno()) for service in self._system.services(self._place)
            ]
        await self._until_ready()

    def stop(self) -> None:
        """Ends all of it, gently at first."""
        for program in reversed(self._programs):
            program.terminate()
        for program in self._programs:
            with suppress(subprocess.TimeoutExpired):
                program.wait(20)
        self.kill()

    def kill(self) -> None:
        """Ends all of it at once."""
        for program in self._programs:
            program.kill()
            program.wait()
        processes.kill(self.folder)

    def name_upload(self) -> str:
        """A name that no other upload of this system has."""
        return f"{self.name}-{next(self._names)}"

    def submission(self, upload: str, hold_s: float = 0) -> Call:
        told_url = self.sink.url("told") if self.api.tells else None
        body = task.body(self.sink.url(upload), self.sink.url("photo"), hold_s, told_url)
        return Call("POST", self.api.submit, body)

    async def submit(self, connection: Connection, upload: str, hold_s: float = 0) -> str:
        """Answers the task's id.

        Raises:
            ConnectionError: it was refused.
        """
        status, answer = await connection.ask(self.submission(upload, hold_s))
        if status not in {200, 201, 202}:
            raise ConnectionError(f"{self.name} answered {status}: {answer[:200]!r}")
        return str(json.loads(answer)[self.api.id_key])

    async def status(self, connection: Connection, task_id: str) -> str:
        _, answer = await connection.ask(Call("GET", self.api.status.format(task_id)))
        return str(json.loads(answer)["status"])

    async def until_done(self, connection: Connection, task_id: str, every_s: float = 0.001) -> None:
        """Asks again and again.

        Raises:
            AssertionError: it is not done after a minute.
        """
        give_up = time.monotonic() + ENDS_WITHIN_S
        while (status := await self.status(connection, task_id)) != self.api.done:
            if time.monotonic() > give_up or status == "error":
                raise AssertionError(f"{self.name}: a task is still {status!r}")
            await asyncio.sleep(every_s)

    async def drain(self) -> None:
        """Waits until no more uploads come."""
        seen = -1
        while self.sink.taken != seen:
            seen = self.sink.taken
            await asyncio.sleep(1)

    def members(self) -> list[psutil.Process]:
        """All of its processes."""
        return [process for mark in (self.folder, self.folder / BESIDE) for process in processes.marked(mark)]

    def usage(self, memory_of: frozenset[int] | None = None) -> Usage:
        """Of all of its processes; the memory only of those in `memory_of`, if that is given."""
        cpu, memory, ids = 0.0, 0, set[int]()
        for process in self.members():
            with suppress(psutil.Error):
                times = process.cpu_times()
                if memory_of is None or process.pid in memory_of:
                    memory += process.memory_full_info().pss
                cpu += times.user + times.system
                ids.add(process.pid)
        return Usage(cpu, memory, frozenset(ids))

    async def try_task(self) -> None:
        """One task, to its end.

        Raises:
            OSError, ValueError, LookupError, EOFError, AssertionError: it is not as it should be, or not there.
        """
        async with connected(self) as connection:
            await self.until_done(connection, await self.submit(connection, self.name_upload()))

    async def _until_ready(self) -> None:
        give_up = time.monotonic() + STARTS_WITHIN_S
        while all(program.poll() is None for program in self._programs) and time.monotonic() < give_up:
            with suppress(*NOT_READY):
                return await asyncio.wait_for(self.try_task(), 20)
            await asyncio.sleep(0.2)
        log = (self.folder / "log").read_text(errors="replace")
        raise RuntimeError(f"{self.name} does not start:\n{log[-3000:]}")


@asynccontextmanager
async def connected(running: Running) -> AsyncIterator[Connection]:
    """A connection to it."""
    connection = await Connection.to(running.port, running.api.key)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def started(system: System, sink: Sink) -> AsyncIterator[Running]:
    """The system, once a first task of its own is done; nothing of it is left afterwards.

    Raises:
        RuntimeError: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="aige-bench-", ignore_cleanup_errors=True) as folder:
        running = Running(system, Place(Path(folder), free_port(), free_port(), sink.port), sink)
        try:
            await running.start()
            yield running
        finally:
            await asyncio.to_thread(running.stop)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def beside(place: Place) -> dict[str, str]:
    """Marks a process as none of AIGE's own, which clears those away when it starts."""
    return {processes.MARK: str(place.folder / BESIDE)}


def _start(service: Service, place: Place, log: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, processes.MARK: str(place.folder), "PYTHONUNBUFFERED": "1", **service.environment}
    return subprocess.Popen(
        service.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
