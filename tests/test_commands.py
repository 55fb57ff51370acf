"""The commands, for real: one start, shared by what is asked of it; then a crash, and a stop."""

import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import httpx
import psutil
import pytest

from scripts import cluster, processes
from tests.machine import PATIENCE_S, Machine
from tests.running import free_port


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("commands"), free_port())
    yield machine
    machine.stop()


@pytest.fixture(scope="module")
def two_starts(machine: Machine) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Of two runs that are started at the same moment, the one that is ready, and the one that ended."""
    runs = (machine.run(), machine.run())
    threads = ThreadPoolExecutor()
    waiting = {threads.submit(run.wait): run for run in runs}
    threads.shutdown(wait=False)
    (ended, *_), _ = wait(waiting, PATIENCE_S, FIRST_COMPLETED)
    loser = waiting[ended]
    (winner,) = set(runs) - {loser}
    assert winner.stdout
    assert any(line.startswith("Ready at ") for line in winner.stdout), winner.communicate()[1]
    return winner, loser


@pytest.fixture(scope="module")
def running(two_starts: tuple[subprocess.Popen[str], subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """A run that is ready."""
    return two_starts[0]


def test_stop_where_nothing_runs(machine: Machine) -> None:
    """`make stop` succeeds and says so."""
    status, out, _ = machine.stop()
    assert (status, out.splitlines()[0]) == (0, f"Nothing is running on {machine.data}.")


def test_stop_needs_no_other_variable_than_the_data_folder(machine: Machine) -> None:
    """What keeps a service from starting must not keep one from stopping."""
    assert machine.said(machine.command("stop", AIGE_ENGINE="lokal"))[0] == 0
    status, _, err = machine.said(machine.command("stop", AIGE_DATA_DIR="~no-such-user/var"))
    assert (status, err.startswith("AIGE_DATA_DIR=~no-such-user/var: ")) == (2, True)


def test_running_service_answers(running: subprocess.Popen[str], machine: Machine) -> None:
    """Where `Ready` is said, the service answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.port}/api/v1/service") as response:
        assert response.status == 200


def test_of_two_starts_at_once_one_is_refused(
    two_starts: tuple[subprocess.Popen[str], subprocess.Popen[str]], machine: Machine
) -> None:
    """They share a data folder: whichever is first has it."""
    winner, loser = two_starts
    refusal = f"AIGE runs already on {machine.data}: use that, or end it with `make stop`.\n"
    assert (loser.returncode, loser.communicate()[1]) == (1, refusal)
    assert winner.poll() is None


def test_second_start_is_refused(running: subprocess.Popen[str], machine: Machine) -> None:
    """One run per data folder; the running one is not disturbed."""
    status, _, err = machine.said(machine.run())
    assert (status, err) == (1, f"AIGE runs already on {machine.data}: use that, or end it with `make stop`.\n")
    assert running.poll() is None


def test_token_is_the_owners_alone(running: subprocess.Popen[str], machine: Machine) -> None:
    """Ray's APIs, which run any code, ask for a token that other users cannot read."""
    assert cluster.token_file(machine.data).stat().st_mode & 0o077 == 0
    assert cluster.temp_dir(machine.data).stat().st_mode & 0o077 == 0


def test_no_stranger_is_heard(running: subprocess.Popen[str], machine: Machine) -> None:
    """Ray's replicas listen on every interface and unpickle what comes, but only from who has our certificate."""
    open_to_all = {
        connection.laddr.port
        for process in processes.marked(machine.data)
        if process.name() != "haproxy"  # which speaks HTTP/2 with everybody, and unpickles nothing
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and not ip_address(connection.laddr.ip).is_loopback
    }
    assert len(open_to_all) >= 7, "one for each replica: this test looks at the right thing"
    for port in open_to_all:
        assert not _speaks_http2(port, lambda plain: plain)
        assert not _speaks_http2(port, _encrypted)


def _speaks_http2(port: int, channel: Callable[[socket.socket], socket.socket]) -> bool:
    """Whether the server answers the preface of HTTP/2, which is below gRPC, with its own: a SETTINGS frame."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as plain, channel(plain) as server:
        server.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        return server.recv(9)[3:4] == b"\x04"
    return False


def _encrypted(plain: socket.socket) -> socket.socket:
    """By a client that trusts anyone and shows no certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(plain)


def test_every_process_bears_the_mark(running: subprocess.Popen[str], machine: Machine) -> None:
    """What `make stop` must find is all that the run started, Ray's renamed workers too."""
    started = {process.pid for process in psutil.Process(running.pid).children(recursive=True)}
    assert started <= {process.pid for process in processes.marked(machine.data)}


def test_service_at_rest_is_light(running: subprocess.Popen[str], machine: Machine) -> None:
    """All processes together take less than 1.25 GiB of memory of their own (files not counted).

    What usually breaks this: an import at the head of a module that every replica loads.
    """
    rollups = (Path(f"/proc/{process.pid}/smaps_rollup").read_text() for process in processes.marked(machine.data))
    kib = sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss_Anon:"))
    assert kib < 1.25 * 2**20, kib


def test_dashboard_starts_when_it_is_opened(running: subprocess.Popen[str], machine: Machine) -> None:
    """With the token, as the last line says."""
    assert running.stdout
    row = next(line.split() for line in running.stdout if line.startswith("  dashboard "))
    assert _dashboards(machine) == []
    token = Path(row[-1].rstrip(")")).read_text(encoding="utf-8")
    answer = httpx.get(f"{row[1]}/api/serve/applications/", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.json()["applications"]["aige"]["status"] == "RUNNING"
    assert len(_dashboards(machine)) == 1


def _dashboards(machine: Machine) -> list[psutil.Process]:
    """What `make stop` will find of them."""
    return [process for process in processes.marked(machine.data) if "ray.dashboard.dashboard" in process.cmdline()[:3]]


def test_stop_after_a_crash_leaves_nothing(running: subprocess.Popen[str], machine: Machine) -> None:
    """Kill -9 of the command itself and of Ray's heart: `make stop` leaves no process, and the port is free."""
    vital = [process for process in processes.marked(machine.data) if process.name() in {"gcs_server", "raylet"}]
    for process in [psutil.Process(running.pid), *vital]:
        process.kill()
    running.wait(PATIENCE_S)
    assert machine.stop()[0] == 0
    assert processes.marked(machine.data) == []
    socket.create_server(("127.0.0.1", machine.port)).close()


def test_the_production_profile_starts_and_stops_as_cleanly(machine: Machine) -> None:
    """HAProxy, which is nobody's child, is found too; it listens on our port, and on those that the README names."""
    run = machine.run("--profile", "production")
    assert run.stdout
    assert any(line.startswith("Ready at ") for line in run.stdout), run.communicate()[1]
    proxies = [process for process in processes.marked(machine.data) if process.name() == "haproxy"]
    heard = {
        (connection.laddr.ip, connection.laddr.port)
        for process in proxies
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    statistics, metrics = (int(machine.ports[f"RAY_SERVE_HAPROXY_{name}_PORT"]) for name in ("STATS", "METRICS"))
    assert heard == {("127.0.0.1", machine.port), ("0.0.0.0", statistics), ("0.0.0.0", metrics)}
    behind = int(machine.ports["RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"])
    socket.create_connection(("127.0.0.1", behind)).close()
    run.kill()
    run.wait(PATIENCE_S)
    assert machine.stop()[0] == 0
    assert processes.marked(machine.data) == []
    socket.create_server(("127.0.0.1", machine.port)).close()
