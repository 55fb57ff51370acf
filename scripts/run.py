"""`make run`: starts AIGE on this machine, says where it is, and takes everything down with it when it ends.

Exit status: 0 after a stop that was asked for, 1 when it could not start or its cluster died, 2 for a wrong setting.
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, NoReturn

import yaml
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from deployments.engines.loading import checked_engine
from deployments.errors import SettingsError
from deployments.settings import Environment, Profile, Settings
from scripts import cluster, processes

SERVED_WITHIN_S = 30
STOPS = (signal.SIGTERM, signal.SIGHUP)
"""What ends a run, as Ctrl-C does."""

console = Console(highlight=False, soft_wrap=True)


class CannotRun(Exception):
    """Why there is no service; the message is for the user."""


class Run(NamedTuple):
    """What runs where."""

    config: Path
    host: str
    port: int
    data: Path
    profile: Profile

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"

    @property
    def logs(self) -> Path:
        return cluster.ray_dir(self.data) / "session_latest" / "logs"


def main() -> int:
    """Runs until stopped."""
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as it is for SIGHUP under nohup
            signal.signal(number, signal.default_int_handler)
    try:
        _serve(_validated())
    except SettingsError as error:
        return _refuse(str(error), 2)
    except CannotRun as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0


def _validated() -> Run:
    """What is asked for.

    Raises:
        SettingsError: a setting is wrong.
    """
    parser = argparse.ArgumentParser(prog="scripts.run", description="Starts AIGE and runs until stopped.")
    parser.add_argument("--config", type=Path, default=cluster.ROOT / "serve_config.yaml", help="the Serve config file")
    parser.add_argument("--port", type=int, help="another port than the config file's")
    environment = Environment()
    parser.add_argument("--profile", type=Profile, choices=list(Profile), default=environment.aige_profile)
    arguments = parser.parse_args()
    settings = Settings.load(arguments.config)
    checked_engine(settings, environment)
    http = yaml.safe_load(arguments.config.read_text(encoding="utf-8")).get("http_options") or {}
    host, port = http.get("host", "0.0.0.0"), http.get("port", 8000)  # noqa: S104 - Serve's own defaults
    return Run(arguments.config.resolve(), host, arguments.port or port, cluster.data_dir(), arguments.profile)


def _refuse(reason: str, status: int) -> int:
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(reason), style="red")
    return status


def _serve(run: Run) -> NoReturn:
    """Starts, tells where, and waits.

    Raises:
        CannotRun: it does not start, or ended by itself.
    """
    with console.status("Starting") as status:
        _clear_the_way(run, status)
        with _head(run, status) as head:
            dashboard = _until_deployed(run, head, status)
            engine = _until_served(run, head)
            status.stop()
            _show(run, dashboard, engine)
            head.wait()
            raise CannotRun("The Ray cluster died. No task is lost: `make run` goes on with them." + _see(run))


def _say(status: Status, text: str) -> None:
    """What is going on: one changing line on a terminal, a line each elsewhere."""
    if console.is_terminal:
        status.update(escape(text))
    else:
        console.print(text, markup=False)


def _see(run: Run) -> str:
    return f"\nLogs: {run.logs} and {cluster.head_log(run.data)}"


def _clear_the_way(run: Run, status: Status) -> None:
    if processes.starter(run.data):
        raise CannotRun(f"AIGE runs already on {run.data}: use that, or end it with `make stop`.")
    if processes.marked(run.data):
        _say(status, "Clearing away what an earlier run left")
        processes.kill(run.data)
    _must_be_free(run.host, run.port, f"make run PORT={run.port + 1}")
    for port in cluster.proxy_ports(run.profile):
        _must_be_free("0.0.0.0", port, 'see "The production profile" in README.md')  # noqa: S104 - HAProxy's choice


def _must_be_free(host: str, port: int, another: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = f"end what listens there, or take another: {another}"
            raise CannotRun(f"Port {port} cannot be had ({error.strerror}): {hint}") from None


@contextmanager
def _head(run: Run, status: Status) -> Iterator[subprocess.Popen[str]]:
    """The process that holds the cluster (`scripts/head.py`); at the end, nothing of it is left."""
    try:
        cluster.make_temp_dir(run.data)
    except OSError as error:
        raise CannotRun(f"No folder for Ray: {error}. Remove what is in the way.") from None
    try:
        with cluster.head_log(run.data).open("wb") as log:
            yield subprocess.Popen(  # noqa: S603 - nothing in it comes from a request
                [sys.executable, "-m", "scripts.head", run.config, str(run.port), cluster.ray_dir(run.data)],
                cwd=cluster.ROOT,
                env=cluster.environment(run.data, run.profile),
                stdin=subprocess.PIPE,  # its end tells the head that we are gone
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for us alone
            )
    finally:
        for number in (signal.SIGINT, *STOPS):
            signal.signal(number, signal.SIG_IGN)  # we are stopping as fast as can be
        with suppress(OSError):  # the terminal may be gone
            status.start()
            _say(status, "Stopping")
        processes.kill(run.data)


def _until_deployed(run: Run, head: subprocess.Popen[str], status: Status) -> str:
    """Shows how the head gets on; answers the dashboard's URL."""
    assert head.stdout  # noqa: S101 - for mypy
    for line in head.stdout:
        report = json.loads(line)
        if "failed" in report:
            raise CannotRun(f"AIGE did not start: {report['failed']}" + _see(run))
        if "dashboard" in report:
            return str(report["dashboard"])
        _say(status, report["step"])
    raise CannotRun("Ray ended while it was starting." + _see(run))


def _until_served(run: Run, head: subprocess.Popen[str]) -> str:
    """Waits for the proxy to know the routes; answers the engine's name."""
    give_up = time.monotonic() + SERVED_WITHIN_S
    while head.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(f"{run.url}/api/v1/service", timeout=5) as response:  # noqa: S310 - our own
                return str(json.load(response)["engine"])
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                return "shown to callers with a key"
        except OSError:
            pass
        time.sleep(0.1)
    raise CannotRun(f"Nothing answers at {run.url}." + _see(run))


def _show(run: Run, dashboard: str, engine: str) -> None:
    rows = {
        "API docs": f"{run.url}/docs",
        "dashboard": f"{dashboard}  (asks for the token in {cluster.token_file(run.data)})",
        "engine": engine,
        "data": str(run.data),
        "logs": str(run.logs),
        "to stop": "Ctrl-C here, or `make stop` in another shell",
    }
    console.print(f"[bold green]Ready[/] at [bold]{run.url}[/]")
    for name, value in rows.items():
        console.print(f"  {name:<10} {escape(value)}")


if __name__ == "__main__":
    sys.exit(main())
