"""Two who set up at the same moment share the work."""

import os
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT

PATIENCE_S = 60


def one_make(target: Path, source: Path, command: str) -> subprocess.Popen[str]:
    script = [sys.executable, "scripts/one_make.py", str(target), str(source), "--", "sh", "-c", command]
    return subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_the_second_waits_and_finds_it_done(tmp_path: Path) -> None:
    """The command runs once; the one who waits says so."""
    target, source, log, gate = (tmp_path / name for name in ("target", "source", "log", "gate"))
    source.touch()
    os.mkfifo(gate)
    command = f"echo ran >> {log}; cat {gate}"
    first = one_make(target, source, command)
    with gate.open("w"):  # once the first is there to read it
        second = one_make(target, source, command)
        assert second.stdout
        assert second.stdout.readline() == "Waiting for another make, which is setting up\n"
    for process in (first, second):
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    assert log.read_text() == "ran\n"


def test_it_runs_where_a_source_is_newer_and_marks_success_alone(tmp_path: Path) -> None:
    """A command that fails leaves its target as it was, so that the next make tries again."""
    target, source = tmp_path / "target", tmp_path / "source"
    source.touch()

    def status(command: str) -> int:
        process = one_make(target, source, command)
        process.communicate(timeout=PATIENCE_S)
        return process.returncode

    assert status("exit 3") == 3
    assert not target.exists()
    assert status("exit 0") == 0
    assert status("exit 3") == 0, "nothing to do"
    os.utime(source, (2**32, 2**32))
    assert status("exit 3") == 3
