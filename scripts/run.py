"""`make run`, or `aige`: starts AIGE on this machine, says where it is, and takes everything down when it ends.

Exit status: 0 after a stop that was asked for, 1 when it could not start or its cluster died, 2 for a wrong setting.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EACCES
from http import HTTPStatus
from typing import NoReturn

from rich.markup import escape
from rich.status import Status

from deployments.errors import SettingsError
from deployments.settings import ROOT
from scripts import cluster, ports, processes
from scripts.command_lines import to_run, to_stop
from scripts.data_folder import Held, Taken, hold, network_mount
from scripts.options import RunOptions, parse_options
from scripts.proxies import without_proxy
from scripts.report import Report
from scripts.terminal import can_redraw, open_console, spinning

SERVED_WITHIN_S = 30
LOOK_EVERY_S = 1
EVERYWHERE = "0.0.0.0"  # noqa: S104 - HAProxy's choice
STOPS = (signal.SIGTERM, signal.SIGHUP)
"""What ends a run, as Ctrl-C does."""

console = open_console()

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""For our own service, whatever address of this machine it has."""


class CannotRun(Exception):
    """Why there is no service; the message is for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until stopped. `arguments` are those of the command line, if not given."""
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as it is for SIGHUP under nohup
            signal.signal(number, signal.default_int_handler)
    os.environ.update(without_proxy(os.environ))
    try:
        _serve(parse_options(sys.argv[1:] if arguments is None else list(arguments)))
    except SettingsError as error:
        return _refuse(str(error), 2)
    except CannotRun as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0


def _refuse(reason: str, status: int) -> int:
    open_console(stderr=True).print(escape(reason), style="red")
    return status


def _serve(run: RunOptions) -> NoReturn:
    """Starts, tells where, and waits.

    Raises:
        SettingsError: the data folder cannot be used.
        CannotRun: it does not start, or ended by itself.
    """
    try:
        with hold(run.data) as folder, spinning(console, "Starting") as status:
            _clear_the_way(run, status)
            with _head(run, status) as head:
                dashboard = _until_deployed(run, head, status)
                engine = _until_served(run, head)
                status.stop()
                _show(run, engine, dashboard)
                _watch(run, head, folder)
    except Taken:
        raise CannotRun(_runs_already(run)) from None


def _watch(run: RunOptions, head: subprocess.Popen[str], folder: Held) -> NoReturn:
    while True:
        with suppress(subprocess.TimeoutExpired):
            head.wait(LOOK_EVERY_S)
            raise CannotRun(f"The Ray cluster died. No task is lost: `{to_run()}` goes on with them." + _see(run))
        if folder.is_gone():
            raise CannotRun(
                f"The data folder {run.data} is gone, and the tasks in it: stopped. `{to_run()}` begins anew."
            )


def _say(status: Status, text: str) -> None:
    """What is going on: one changing line where the terminal can, a line each elsewhere."""
    if can_redraw(console):
        status.update(escape(text))
    else:
        console.print(text, markup=False)


def _runs_already(run: RunOptions) -> str:
    return f"AIGE runs already on {run.data}: use that, or end it with `{to_stop()}`."


def _see(run: RunOptions) -> str:
    return f"\nLogs: {run.logs} and {cluster.head_log(run.data)}"


def _clear_the_way(run: RunOptions, status: Status) -> None:
    if processes.starter(run.data):  # where the file system has no locks
        raise CannotRun(_runs_already(run))
    if processes.marked(run.data):
        _say(status, "Clearing away what an earlier run left")
        processes.kill(run.data)
    _check_port(run.host, run.port)
    _check_proxy_ports(run)


def _check_port(host: str, port: int) -> None:
    try:
        ports.try_port(host, port)
    except OSError as error:
        if error.errno == EACCES:
            way_out = f"ports this low are for root; take another: {to_run(port=8000)}"
        else:
            way_out = _another_port(host, port)
        raise CannotRun(f"Port {port} cannot be used ({error.strerror}): {way_out}") from None


def _another_port(host: str, port: int) -> str:
    return f"end what listens there, or take another: {to_run(port=ports.free_from(host, port + 1))}"


def _check_proxy_ports(run: RunOptions) -> None:
    wanted = cluster.proxy_ports(run.profile)
    times = Counter([run.port, *wanted.values()])
    taken = {name: port for name, port in wanted.items() if times[port] > 1 or not ports.is_free(EVERYWHERE, port)}
    if taken:
        listed = ", ".join(str(port) for port in taken.values())
        others = to_run(production=True, variables=_other_ports(taken, set(times)))
        way_out = f"end what else uses them, or take others: {others}"
        raise CannotRun(f"HAProxy needs ports that cannot be used ({listed}): {way_out}")


def _other_ports(taken: dict[str, int], used: set[int]) -> str:
    """An assignment of a free port to each variable."""
    others = dict[str, int]()
    for name, port in taken.items():
        others[name] = ports.free_from(EVERYWHERE, port + 1, but=used | set(others.values()))
    return " ".join(f"{name}={port}" for name, port in others.items())


@contextmanager
def _head(run: RunOptions, status: Status) -> Iterator[subprocess.Popen[str]]:
    """The process that holds the cluster (`scripts/head.py`); at the end, nothing of it is left."""
    try:
        cluster.make_temp_dir(run.data)
        environment = cluster.environment(run.data, run.profile)
    except OSError as error:
        raise CannotRun(f"AIGE cannot keep its files: {error}. Remove what is in the way.") from None
    arguments = [str(run.config), str(run.port), str(cluster.ray_dir(run.data))]
    with (
        cluster.head_log(run.data).open("wb") as log,
        subprocess.Popen(  # noqa: S603 - nothing in it comes from a request
            [sys.executable, "-m", "scripts.head", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,  # its end tells the head that we are gone
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone
        ) as head,
    ):
        try:
            yield head
        finally:
            _end(run, status)


def _end(run: RunOptions, status: Status) -> None:
    for number in (signal.SIGINT, *STOPS):
        signal.signal(number, signal.SIG_IGN)  # we are stopping as fast as can be
    with suppress(OSError):  # the terminal may be gone
        status.start()
        _say(status, "Stopping")
    processes.kill(run.data)


def _reports(head: subprocess.Popen[str]) -> Iterator[Report]:
    assert head.stdout  # noqa: S101 - for mypy
    for line in head.stdout:
        yield json.loads(line)


def _until_deployed(run: RunOptions, head: subprocess.Popen[str], status: Status) -> str:
    """Shows how the head gets on; answers the dashboard's address."""
    for report in _reports(head):
        if "refused" in report:
            raise SettingsError(report["refused"])
        if "failed" in report:
            raise CannotRun(f"AIGE did not start: {report['failed']}" + _see(run))
        if "up" in report:
            return report["dashboard"]
        _say(status, report["step"])
    raise CannotRun("Ray ended while it was starting." + _see(run))


def _until_served(run: RunOptions, head: subprocess.Popen[str]) -> str:
    """Waits for the proxy to know the routes; answers the engine's name."""
    give_up = time.monotonic() + SERVED_WITHIN_S
    while head.poll() is None and time.monotonic() < give_up:
        with suppress(OSError, ValueError, LookupError):  # no answer yet, or not ours
            engine = _engine_at(run.url)
            if processes.listens(run.data, run.port):  # for a moment nobody does, while HAProxy changes its process
                return engine
        time.sleep(0.1)
    if head.poll() is None and not processes.listens(run.data, run.port):
        raise CannotRun(f"Port {run.port} was taken while AIGE started: {_another_port(run.host, run.port)}")
    raise CannotRun(f"Nothing answers at {run.url}." + _see(run))


def _engine_at(url: str) -> str:
    try:
        with _direct.open(f"{url}/api/v1/service", timeout=5) as response:
            return str(json.load(response)["engine"])
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            return "shown to callers with a key"
        raise


def _show(run: RunOptions, engine: str, dashboard: str) -> None:
    console.print(f"[bold green]Ready[/] at [bold]{run.url}[/]")
    rows = {
        "API docs": f"{run.url}/docs",
        "engine": engine,
        "data": str(run.data) + _beware(run),
        "ignored": "; ".join(run.ignored),
        "logs": str(run.logs),
        "to stop": f"Ctrl-C here, or `{to_stop()}` in another shell",
        "dashboard": f"{dashboard}  (starts when you open it; asks for the token in {cluster.token_file(run.data)})",
    }
    for name, value in rows.items():
        if value:
            console.print(f"  {name:<10} {escape(value)}")


def _beware(run: RunOptions) -> str:
    kind = network_mount(run.data)
    return f"  (on {kind}, over the network: a disk of this machine is faster and loses nothing)" if kind else ""


if __name__ == "__main__":
    sys.exit(main())
