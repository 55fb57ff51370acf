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


STARTER = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE,
                         env=os.environ | {sys.argv[1]: sys.argv[2], sys.argv[3]: str(os.getpid())})
print("started", flush=True)
sys.stdin.read()
os._exit(0)
"""


def test_the_starter_is_found_whatever_its_name(tmp_path: Path) -> None:
    """It is `aige` where the wheel is installed. Whoever inherits its child is none."""
    command = [sys.executable, "-c", STARTER, processes.MARK, str(tmp_path), processes.STARTER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == "started\n"
        found = processes.starter(tmp_path)
        assert found is not None
        assert found.pid == starter.pid
        assert processes.starter(tmp_path / "another") is None
        assert processes.kill(tmp_path) == 1
        assert processes.starter(tmp_path) is None
        starter.communicate()


def test_whoever_inherits_a_run_did_not_start_it(tmp_path: Path) -> None:
    """Such as systemd: `make stop` must not end it."""
    mark = {processes.MARK: str(tmp_path), processes.STARTER: "999999999"}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=os.environ | mark, stdin=subprocess.PIPE):
        assert processes.marked(tmp_path)
        assert processes.starter(tmp_path) is None
        assert processes.kill(tmp_path) == 1


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
