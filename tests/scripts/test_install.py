"""What the first `make` of a newcomer says where something is missing."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/install.py"
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
