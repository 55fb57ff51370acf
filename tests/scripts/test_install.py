"""What is installed by `make`: where something is missing, and after an upgrade of the system's Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

SCRIPT = ROOT / "scripts/install.py"
WITHOUT_ENSUREPIP = f"""
import runpy, sys
sys.modules["ensurepip"] = None
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""


def test_a_python_that_makes_no_environments_names_the_missing_package(tmp_path: Path) -> None:
    """As Debian's and Ubuntu's, without the package `python3-venv`; nothing is begun."""
    folder = tmp_path / "environment"
    command = [sys.executable, "-c", WITHOUT_ENSUREPIP, "requirements.lock", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    major, minor = sys.version_info[:2]
    assert (ran.returncode, ran.stderr) == (2, "")
    assert f"install python{major}.{minor}-venv" in ran.stdout
    assert not folder.exists()


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    """What it holds was for that Python."""
    folder, lock = tmp_path / "environment", tmp_path / "lock"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to("/usr/bin/python3.0")
    (folder / "bin/pip").touch()
    lock.touch()
    command = [sys.executable, str(SCRIPT), str(lock), str(folder)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # no project is there
    assert f"Making {folder}" in ran.stdout, ran.stderr
    subprocess.run([folder / "bin/python", "-c", "import pip"], check=True)


@pytest.mark.parametrize(("python", "said"), [("exit 0", ""), ("exit 1", "installing\n"), (None, "installing\n")])
def test_make_notices_that_python_was_replaced(tmp_path: Path, python: str | None, said: str) -> None:
    """Though all that the lock file names was installed once: by one that finds none of it, or is gone."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "scripts/one_make.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "scripts/install.py").write_text("print('installing')")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    if python is None:
        (tmp_path / ".venv/bin/python").symlink_to("/usr/bin/python3.0")
    else:
        (tmp_path / ".venv/bin/python").write_text(f"#!/bin/sh\n{python}\n")
        (tmp_path / ".venv/bin/python").chmod(0o755)
    (tmp_path / ".venv/installed-run").touch()
    command = ["/usr/bin/env", "make", "--silent", ".venv/installed-run", f"PYTHON={sys.executable}"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert made.stdout == said
    assert (tmp_path / ".venv/installed-run").exists()
