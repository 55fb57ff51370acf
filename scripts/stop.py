"""`make stop`: ends the run on this data folder, from any shell and after any crash."""

import sys

import psutil

from scripts import processes
from scripts.cluster import data_dir


def main() -> int:
    """Stops; 0 also where nothing runs."""
    folder = data_dir()
    starter = processes.starter(folder)
    if starter:
        starter.terminate()
        psutil.wait_procs([starter], timeout=8)
    try:
        killed = processes.kill(folder)
    except TimeoutError as error:
        print(f"Could not stop: {error}.", file=sys.stderr)
        return 1
    print("Stopped." if starter or killed else f"Nothing is running on {folder}.")
    for other in sorted(processes.other_runs(folder)):
        print(f"A run on another data folder goes on; to stop it: make stop AIGE_DATA_DIR={other}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
