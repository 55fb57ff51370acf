"""Watches a run's Ray cluster: this process lives and dies with it, and with its own parent.

`scripts/head.py` turns into it once the cluster is up, and thereby stays the parent of Ray's processes: the kernel
kills them when it dies. It imports little, for it stays as long as the run.
"""

import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

import psutil

from scripts import processes

VITAL = ("gcs_server", "raylet")


def watch() -> NoReturn:
    """Goes on as the watcher: same process, none of the memory."""
    os.execv(sys.executable, [sys.executable, "-m", "scripts.watch"])  # noqa: S606 - ourselves


def end_with_parent() -> NoReturn:
    """Waits for the end of stdin, which comes with the parent's end however that died; then ends the run."""
    sys.stdin.read()
    processes.kill(Path(os.environ[processes.MARK]))
    os._exit(1)


def main() -> NoReturn:
    """Ends once a process has gone without which the cluster is dead."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    vital = [process for process in psutil.Process().children() if process.name() in VITAL]
    while len(vital) == len(VITAL):
        vital = psutil.wait_procs(vital, timeout=1)[1]
    os._exit(1)  # at once: the other thread reads still


if __name__ == "__main__":
    main()
