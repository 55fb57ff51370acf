"""Makes one part of the set-up, as `make` would; of two `make`s at the same moment, one does it, and the other waits.

    python scripts/one_make.py TARGET SOURCE... -- COMMAND ARGUMENT...

Runs the command where TARGET is missing or older than a SOURCE, and then touches TARGET. Needs nothing but Python.
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / ".set-up.lock"


def main(arguments: list[str]) -> int:
    """Answers the command's exit status; 0 where there was nothing to do."""
    end = arguments.index("--")
    target, sources, command = Path(arguments[0]), [Path(name) for name in arguments[1:end]], arguments[end + 1 :]
    with _alone():
        if _is_fresh(target, sources):
            return 0
        status = subprocess.call(command)  # noqa: S603 - the Makefile's
        if status == 0:
            target.touch()
        return status


@contextmanager
def _alone() -> Iterator[None]:
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another make, which is setting up", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            pass
        yield


def _is_fresh(target: Path, sources: list[Path]) -> bool:
    made = target.stat().st_mtime_ns if target.exists() else 0
    return made > 0 and all(source.stat().st_mtime_ns <= made for source in sources)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PermissionError as error:
        sys.exit(f"This folder needs setting up, by a user who may write to it: {error.filename}: {error.strerror}")
