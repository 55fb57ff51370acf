"""The processes of one run, found by a mark in their environment that every child inherits.

So nothing can go stale as a pid file does, a crash loses nothing, and a stranger's process is never hit: Ray's own
`ray stop` would end every cluster on the machine.
"""

import os
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "AIGE_RUN"
"""The variable that marks a run; its value is the run's data folder, absolute."""
STARTER = "AIGE_STARTER"
"""The variable beside it: the id of the process that started the run, and waits for it."""


def marked(data_dir: Path) -> list[psutil.Process]:
    """The living processes of the run on this data folder, without the process that asks."""
    everything = (process for process in psutil.process_iter() if process.pid != os.getpid())
    return [process for process in everything if _mark(process) == str(data_dir)]


def other_runs(data_dir: Path) -> set[str]:
    """The data folders of the runs on other ones."""
    return {mark for process in psutil.process_iter() if (mark := _mark(process))} - {str(data_dir)}


def listens(data_dir: Path, port: int) -> bool:
    """Whether the port is the run's own."""
    return any(port in _ports(process) for process in marked(data_dir))


def _ports(process: psutil.Process) -> set[int]:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return set()
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def starter(data_dir: Path) -> psutil.Process | None:
    """The process that started the run and waits for it, where it lives; `make run`, or `aige`.

    If it has died, the run's first process is the child of somebody else, who must not be hit.
    """
    for process in marked(data_dir):
        with suppress(psutil.Error):
            parent = process.parent()
            if parent and process.environ().get(STARTER) == str(parent.pid):
                return parent
    return None


def kill(data_dir: Path) -> int:
    """Kills what is left of a run and answers how many processes that were.

    Crash-only on purpose: tasks survive a kill at any moment, so there is no second, gentler way to stop that could be
    wrong in other ways, and nothing to wait for.

    Raises:
        TimeoutError: some process would not die.
    """
    killed = set[int]()
    for _ in range(10):
        victims = marked(data_dir)  # again, for what was just being born
        if not victims:
            return len(killed)
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        psutil.wait_procs(victims, timeout=1)
        killed |= {victim.pid for victim in victims}
    raise TimeoutError(f"these processes do not die: {', '.join(str(process.pid) for process in marked(data_dir))}")


def _mark(process: psutil.Process) -> str | None:
    """A process's mark; None too for one that is gone, is a zombie, or belongs to another user."""
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
