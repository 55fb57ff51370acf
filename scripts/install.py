"""`make`'s first step: a virtual environment in `.venv` with exactly what a lock file names, and this project itself.

Needs nothing but Python. Each package is checked against its hash in the lock, so it does not matter which index or
mirror pip is set up to ask; once installed, nothing is asked of the network again.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

VENV = Path(".venv")
PIP = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]

STEPS = ("Collecting", "Processing", "  Downloading", "Installing")


def main() -> int:
    """Installs the lock file that the command line names."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = sys.version.split()[0]
        print(f"AIGE needs Python 3.11, 3.12 or 3.13; this is {found}. Choose another: make PYTHON=python3.12")
        return 2
    lock = Path(sys.argv[1])
    if not VENV.exists():
        print(f"Making {VENV}", flush=True)
        venv.create(VENV, with_pip=True, symlinks=True)
    return _install_lock(lock) or _install_project()


def _install_lock(lock: Path) -> int:
    """Runs pip; on a terminal, shows which package it is at."""
    print(f"Installing what {lock} names; the first time this takes a minute or two", flush=True)
    command = [*PIP, "--require-hashes", "--progress-bar=off", "-r", str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:  # noqa: S603 - our own arguments
        for line in pip.stdout or ():
            if sys.stdout.isatty() and line.startswith(STEPS):
                print(f"\r\033[K  {line.strip():.76}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    return pip.returncode


def _install_project() -> int:
    """Makes `deployments` and `graph` importable everywhere, with the build backend that the lock holds."""
    return subprocess.run(  # noqa: S603 - our own arguments
        [*PIP, "--quiet", "--no-deps", "--no-build-isolation", "--check-build-dependencies", "-e", "."],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},  # setuptools warns of what an editable installation is
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
