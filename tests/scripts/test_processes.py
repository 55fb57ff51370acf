"""The processes of a run, by their mark."""

import os
import subprocess
import sys
from pathlib import Path

from scripts import processes
from tests.running import free_port

LISTENER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("listening", flush=True)
    sys.stdin.read()
"""


def test_a_port_is_the_runs_own_where_its_process_listens(tmp_path: Path) -> None:
    """And nobody else's: what answers there may be another user's service."""
    port = free_port()
    environment = os.environ | {processes.MARK: str(tmp_path)}
    command = [sys.executable, "-c", LISTENER, str(port)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as listener:
        assert listener.stdout
        assert listener.stdout.readline() == "listening\n"
        assert processes.listens(tmp_path, port)
        assert not processes.listens(tmp_path, port + 1)
        assert not processes.listens(tmp_path / "another", port)
        assert processes.kill(tmp_path) == 1
    assert not processes.listens(tmp_path, port)
