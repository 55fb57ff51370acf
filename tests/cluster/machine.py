"""A machine in the simulated network: processes with a network, process ids and a /tmp/ray of their own."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.cluster.network import PATH, Network
from tests.running import ROOT

RAYS_FOLDER = "/tmp/ray"  # noqa: S108 - each machine mounts its own there


class Machine:
    """`folder` holds what it keeps: its log, Ray's sessions, its data."""

    def __init__(self, network: Network, name: str, number: int, folder: Path) -> None:
        network.add(name, number)
        self.name = name
        self.address = network.address(name)
        self.folder = folder / name
        self._ray = self.folder / "ray"
        self._ray.mkdir(parents=True)
        self._namespace = network.namespace(name)
        self._running: subprocess.Popen[bytes] | None = None
        self._beside: list[subprocess.Popen[str]] = []

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Boots it: the command is its first process, with whose end all others end."""
        isolated = ["unshare", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
        boot = f'mkdir -p {RAYS_FOLDER} && mount --bind "$0" {RAYS_FOLDER} && exec "$@"'
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [*self._in_network(), *isolated, "sh", "-c", boot, str(self._ray), *command],
                cwd=ROOT,
                env={**environment, "PATH": environment.get("PATH", PATH)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def beside(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """A process in its network alone, which talks through pipes; it ends with `close`."""
        process = subprocess.Popen(
            [*self._in_network(), *command],
            cwd=ROOT,
            env={"PATH": PATH, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._beside.append(process)
        return process

    def said(self, command: Sequence[str]) -> str:
        """What a short command in its network prints; nothing where it fails."""
        return subprocess.run(
            [*self._in_network(), *command], env={"PATH": PATH}, capture_output=True, text=True, check=False
        ).stdout

    def kill(self) -> None:
        """The end of the machine, at once; its kernel closes its connections, as a crash of Ray alone would."""
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None

    def terminate(self) -> None:
        """Asks its first process to end, as a machine's manager does before it takes the machine away."""
        for process in self._first():
            process.send_signal(signal.SIGTERM)

    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def processes(self, title: str) -> list[psutil.Process]:
        """Its living processes with this title."""
        found = []
        for first in self._first():
            for process in [first, *first.children(recursive=True)]:
                with suppress(psutil.Error):
                    if " ".join(process.cmdline()).startswith(title):
                        found.append(process)
        return found

    def close(self) -> None:
        self.kill()
        for process in self._beside:
            process.kill()
            process.communicate()

    def _first(self) -> list[psutil.Process]:
        if self._running is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._running.pid).children()
        return []

    def _in_network(self) -> list[str]:
        return ["ip", "netns", "exec", self._namespace]
