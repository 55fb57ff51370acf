"""`make stop`, or `aige-stop`: ends the run on this data folder, from any shell and after any crash."""

import sys
from pathlib import Path

import psutil

from deployments.errors import SettingsError
from scripts import processes
from scripts.cluster import data_dir
from scripts.command_lines import to_stop
from scripts.terminal import open_console


def main() -> int:
    """Stops; 0 also where nothing runs, 2 where AIGE_DATA_DIR names no folder that there could be."""
    try:
        return _stop(data_dir())
    except SettingsError as error:
        open_console(stderr=True).print(str(error), markup=False)
        return 2


def _stop(folder: Path) -> int:
    console = open_console()
    starter = processes.starter(folder)
    if starter:
        starter.terminate()
        psutil.wait_procs([starter], timeout=8)
    try:
        killed = processes.kill(folder)
    except TimeoutError as error:
        open_console(stderr=True).print(f"Could not stop: {error}.", markup=False)
        return 1
    console.print("Stopped." if starter or killed else f"Nothing is running on {folder}.", markup=False)
    for other in sorted(processes.other_runs(folder)):
        assigned = f"AIGE_DATA_DIR={other}"
        console.print(f"Another run goes on; to stop it: {to_stop(variables=assigned)}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
