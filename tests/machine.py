"""A machine on which a test gives the commands, as users do."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import ROOT, own_ports

PATIENCE_S = 180
"""Far more than any machine needs; only a hang uses it up."""


@dataclass
class Machine:
    """A data folder and a port of its own, and the commands on them."""

    data: Path
    port: int
    ports: dict[str, str] = field(default_factory=own_ports)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"AIGE_DATA_DIR": str(self.data), "AIGE_ENGINE": "local"}

    def command(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        env = self.environment | self.ports | environment
        command = [sys.executable, "-m", f"scripts.{name}", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return self.command("run", "--port", str(self.port), *arguments, **environment)

    def said(self, command: subprocess.Popen[str]) -> tuple[int, str, str]:
        """The exit status of a command that ends, and what it printed."""
        out, err = command.communicate(timeout=PATIENCE_S)
        return command.returncode, out, err

    def stop(self) -> tuple[int, str, str]:
        return self.said(self.command("stop"))
