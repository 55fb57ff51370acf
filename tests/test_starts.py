"""Starts, for real: what is refused, with one line that says what to do; and a machine that makes it hard."""

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from scripts import processes
from tests.machine import PATIENCE_S, Machine
from tests.running import ROOT, free_port


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("starts"), free_port())
    yield machine
    machine.stop()


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("engine: auto", "engin: auto", "engin: there is no such setting"),
        ("callers: {}", "callers: {app: {per_day: 1}}", "callers.app.per_day: there is no such setting"),
        ("prices: {}", "prices: {model: free}", "prices.model: must be a number; it is 'free'"),
    ],
)
def test_wrong_setting_stops_the_start_with_one_line(
    machine: Machine, tmp_path: Path, right: str, wrong: str, line: str
) -> None:
    """A setting that is misspelt or impossible is named before anything is started."""
    config = tmp_path / "serve_config.yaml"
    config.write_text((ROOT / "serve_config.yaml").read_text().replace(right, wrong))
    status, out, err = machine.said(machine.run("--config", str(config)))
    assert (status, out, err) == (2, "", f"{line}\n")


def test_a_wrong_api_key_stops_the_start_and_is_not_shown(machine: Machine) -> None:
    """Nor is a name that breaks the rule: it may be the beginning of a key."""
    status, out, err = machine.said(machine.run(AIGE_API_KEYS="app:fine,very secret:with a colon"))
    rule = "the name of key 2 must be 1 to 64 letters, digits, '-' or '_'"
    assert (status, out, err) == (2, "", f"AIGE_API_KEYS: {rule}\n")


def test_port_in_use_is_named_with_the_way_out(machine: Machine) -> None:
    """A taken port stops the start with one line that names another."""
    with socket.create_server(("127.0.0.1", machine.port)):
        status, _, err = machine.said(machine.run())
    assert status == 1
    assert f"Port {machine.port} cannot be used" in err
    named = re.search(r"make run PORT=(\d+)", err)
    assert named is not None
    assert int(named[1]) > machine.port
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("proxy", ["HAPROXY_STATS", "HAPROXY_METRICS", "FALLBACK_PROXY_HTTP"])
def test_a_port_of_the_production_proxies_in_use_is_named_too(machine: Machine, proxy: str) -> None:
    """Another service's proxy may listen there, and would be asked in place of ours."""
    name = f"RAY_SERVE_{proxy}_PORT"
    port = int(machine.ports[name])
    with socket.create_server(("127.0.0.1", port)):
        status, _, err = machine.said(machine.run("--profile", "production"))
    assert status == 1
    assert f"HAProxy needs ports that cannot be used ({port})" in err
    assert f"make run PROFILE=production {name}=" in err
    assert len(err.splitlines()) == 1


def test_a_port_that_is_asked_for_twice_is_named_too(machine: Machine) -> None:
    """Nobody listens there yet: the service itself would, or another of its proxies. The way out is one."""
    stats, metrics = "RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT"
    port = machine.ports[stats]
    status, _, err = machine.said(machine.command("run", "--port", port, "--profile", "production"))
    assert (status, len(err.splitlines())) == (1, 1)
    assert f"HAProxy needs ports that cannot be used ({port})" in err
    status, _, err = machine.said(machine.run("--profile", "production", **{metrics: port}))
    assert status == 1
    (others,) = re.findall(rf"make run PROFILE=production {stats}=(\d+) {metrics}=(\d+)", err)
    assert len({port, *others}) == 3


def test_a_data_folder_that_is_a_file_is_named_as_it_was_typed(machine: Machine, tmp_path: Path) -> None:
    """One line, and the status of a wrong setting; the same for what is wrong with the journal in it."""
    file = tmp_path / "file"
    file.touch()
    status, out, err = machine.said(machine.run(AIGE_DATA_DIR=str(file)))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"AIGE_DATA_DIR={file}: is no folder")
    (tmp_path / "journal.sqlite3").write_text("a letter, and no journal" * 400)
    status, _, err = machine.said(machine.run(AIGE_DATA_DIR=str(tmp_path)))
    assert (status, len(err.splitlines())) == (2, 1)
    assert "cannot be opened (file is not a database)" in err


def test_what_serve_does_not_take_is_one_line(machine: Machine, tmp_path: Path) -> None:
    """Of the config file's parts that are Serve's own."""
    config = tmp_path / "serve_config.yaml"
    config.write_text((ROOT / "serve_config.yaml").read_text().replace("  port: 8000", "  port: 8000\n  root_path: 5"))
    status, _, err = machine.said(machine.run("--config", str(config), AIGE_DATA_DIR=str(tmp_path)))
    assert (status, err) == (2, "http_options.root_path: must be a valid string; it is 5\n")


def test_make_keeps_pythons_own_variables_to_itself() -> None:
    """`python -m scripts.run` would find no `scripts`, or end for a library's warning."""
    environment = os.environ | {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error"}
    command = ["/usr/bin/env", "make", "--eval", "show: ; @env", "show"]
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "PYTHONSAFEPATH" not in shown.stdout
    assert "PYTHONWARNINGS" not in shown.stdout


def test_a_machine_that_makes_it_hard(machine: Machine, tmp_path: Path) -> None:
    """It starts, once, with all of: a dead proxy, Python's own variables, a long TMPDIR, a dumb Latin-1 terminal, taken
    ports of Ray, a port that it finds itself and a data folder below `~`; where that is deleted, it stops.
    """
    long = tmp_path / ("long" * 40)
    long.mkdir()
    dead = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "ALL_PROXY"), dead)
    environment = machine.environment | proxies | machine.ports
    environment |= {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "latin-1", "TERM": "dumb"}
    environment |= {"TMPDIR": str(long), "HOME": str(tmp_path), "AIGE_DATA_DIR": "~/Bücher 🙂"}
    environment = {name: value for name, value in environment.items() if name.lower() != "no_proxy"}
    data = tmp_path / "Bücher 🙂"
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "scripts.run", "--port", "0"]
    with ExitStack() as taken, os.fdopen(terminal, "r", encoding="latin-1") as shown:
        for port in (6379, 8265, 8266, 52365):
            with suppress(OSError):
                taken.enter_context(socket.create_server(("0.0.0.0", port)))
        run = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=end, stderr=end, stdin=end)
        os.close(end)
        rows = {}
        for line in shown:
            name, _, value = line.strip().partition("  ")
            rows[name] = value.strip()
            if name == "dashboard":  # the last row
                break
        assert rows["data"] == f"{tmp_path}/B\xfccher \\U0001f642", rows
        (ready,) = (name for name in rows if name.startswith("Ready at "))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{ready.removeprefix('Ready at ')}/api/v1/service") as response:
            assert response.status == 200
        shutil.rmtree(data)
        assert run.wait(PATIENCE_S) == 1
        with suppress(OSError):  # as a terminal ends
            for line in shown:
                last = line.strip()
    assert last.endswith("is gone, and the tasks in it: stopped. `make run` begins anew.")
    assert processes.marked(data) == []
