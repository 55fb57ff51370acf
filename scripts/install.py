"""`make`'s first step: a virtual environment with exactly what a lock file names, and this project itself.

    python scripts/install.py LOCK [FOLDER]       by default in .venv

Needs nothing but Python. Each package is checked against its hash in the lock, so it does not matter which index or
mirror pip is set up to ask; once installed, nothing is asked of the network again.
"""

import io
import os
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

STEPS = ("Collecting", "Processing", "  Downloading", "Installing")


def main() -> int:
    """Installs what the command line names."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack the characters of a path
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        found = sys.version.split()[0]
        print(f"AIGE needs Python 3.11 to 3.14; this is {found}. Choose another: make PYTHON=python3.12")
        return 2
    lock, folder = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".venv")  # noqa: PLR2004
    python = folder / "bin" / "python"
    if not _has_pip(python):
        if find_spec("ensurepip") is None:
            package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
            print(f"This Python cannot make virtual environments: on Debian and Ubuntu, install {package}.")
            return 2
        print(f"Making {folder}", flush=True)
        venv.create(folder, with_pip=True, symlinks=True, clear=not python.exists())  # a link that leads nowhere stays
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    return _install_lock(pip, lock) or _install_project(pip)


def _has_pip(python: Path) -> bool:
    """Not if making it was interrupted, nor if the system's Python, to which it is a link, has been replaced since."""
    asked = [str(python), "-c", "import pip"]
    try:
        return subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603 - our own
    except OSError:
        return False


def _install_lock(pip: list[str], lock: Path) -> int:
    """Runs pip; on a terminal, shows which package it is at."""
    print(f"Installing what {lock} names; the first time this takes a minute or two", flush=True)
    command = [*pip, "--require-hashes", "--progress-bar=off", "-r", str(lock)]
    redraw = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "dumb", "unknown")
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as installing:
        for line in installing.stdout or ():
            if redraw and line.startswith(STEPS):
                print(f"\r\033[K  {line.strip():.76}", end="", flush=True)
    if redraw:
        print("\r\033[K", end="")
    return installing.returncode


def _install_project(pip: list[str]) -> int:
    """Makes this folder's modules importable everywhere, with the build backend that the lock holds.

    In setuptools' `compat` mode that is all of them, `scripts` too, which `PYTHONSAFEPATH` would else keep out.
    """
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--check-build-dependencies"]
    return subprocess.run(  # noqa: S603 - our own arguments
        [*pip, *options, "--config-settings", "editable_mode=compat", "-e", "."],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},  # setuptools warns of what an editable installation is
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
