"""Watches a run's Ray cluster, and starts its dashboard when that is opened. This process lives and dies with the
cluster, and with its own parent.

Arguments: the file descriptor of the dashboard's listening socket, and the command that starts the dashboard.

`scripts/head.py` turns into it once the cluster is up, and thereby stays the parent of Ray's processes: the kernel
kills them when it dies. It imports little, for it stays as long as the run.
"""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil

from scripts import processes
from scripts.dashboard import Dashboard

VITAL = ("gcs_server", "raylet")


def watch(listener: socket.socket, dashboard_command: Sequence[str]) -> NoReturn:
    """Goes on as the watcher: same process, none of the memory."""
    listener.set_inheritable(True)
    arguments = [str(listener.fileno()), *dashboard_command]
    os.execv(sys.executable, [sys.executable, "-m", "scripts.watch", *arguments])  # noqa: S606 - ourselves


def end_with_parent() -> NoReturn:
    """Waits for the end of stdin, which comes with the parent's end however that died; then ends the run."""
    sys.stdin.read()
    processes.kill(Path(os.environ[processes.MARK]))
    os._exit(1)


def main() -> NoReturn:
    """Ends once a process has gone without which the cluster is dead."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    threading.Thread(target=_serve_dashboard, args=(int(sys.argv[1]), sys.argv[2:]), daemon=True).start()
    vital = [process for process in psutil.Process().children() if process.name() in VITAL]
    while len(vital) == len(VITAL):
        vital = psutil.wait_procs(vital, timeout=1)[1]
    os._exit(1)  # at once: the other threads go on


def _serve_dashboard(listener: int, command: Sequence[str]) -> None:
    asyncio.run(Dashboard(command).serve(socket.socket(fileno=listener)))


if __name__ == "__main__":
    main()
