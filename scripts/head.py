"""The Ray cluster of a run: started, deployed on and then watched by this process, with which it lives and dies.

Arguments: the config file, the port, Ray's temporary folder. It reports to its parent (`scripts.report`), and
ends when its parent does. Apart from the parent because Ray ends its own driver in ways of its own.
"""

import asyncio
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import NoReturn, TextIO

import ray
from pydantic import ValidationError
from ray import serve
from ray._private.metrics_agent import PrometheusServiceDiscoveryWriter  # what the dashboard runs
from ray._private.node import Node  # what `ray.init` calls: that cannot leave out the two monitors
from ray._private.parameter import RayParams
from ray.serve._private.api import serve_start  # what `serve run` calls: the public start() takes no logging_config
from ray.serve.config import gRPCOptions
from ray.serve.schema import ApplicationStatusOverview, ServeDeploySchema

from deployments.config_file import first_fault, read_config
from deployments.errors import AigeError, SettingsError
from deployments.media.open_media import open_store
from deployments.settings import Environment, Settings
from deployments.tasks.open_journal import open_journal
from scripts import dashboard
from scripts.ray_errors import summary
from scripts.report import Report
from scripts.watch import end_with_parent, watch

OBJECT_STORE_BYTES = 256 * 2**20


def main() -> NoReturn:
    """Starts, deploys, and watches."""
    parent = _take_stdout()
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        head = _start(parent, Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    except SettingsError as error:
        _tell(parent, {"refused": str(error)})
    except AigeError as error:
        traceback.print_exc()
        _tell(parent, {"refused": f"AIGE cannot start: {error}."})
    except Exception as error:
        traceback.print_exc()
        _tell(parent, {"failed": summary(str(error)) or repr(error)})
    else:
        listener = dashboard.listen()
        _tell(parent, {"up": True, "dashboard": dashboard.url_of(listener)})
        watch(listener, head.dashboard_command())
    os._exit(1)  # at once: Ray's own way out would wait for a cluster that is gone


class Head(Node):
    """The cluster's first node. Its dashboard is started when it is opened; see `scripts.dashboard`."""

    def start_api_server(self, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        """Starts the dashboard, in Ray's words, while the node starts: not yet."""

    def dashboard_command(self) -> list[str]:
        """What starts the dashboard; its port is still to be added."""
        options = {
            "host": dashboard.HOST,
            "gcs-address": self.gcs_address,
            "cluster-id-hex": self.cluster_id.hex(),
            "node-ip-address": self.node_ip_address,
            "temp-dir": self.temp_dir,
            "session-dir": self._session_dir,
            "log-dir": self._logs_dir,
        }
        program = [sys.executable, "-m", "ray.dashboard.dashboard"]
        return program + [f"--{name}={value}" for name, value in options.items()]

    def write_metrics_address(self) -> None:
        """Tells Prometheus where this node's metrics are, in the file that the dashboard would write."""
        assert self.temp_dir  # noqa: S101 - for mypy
        writer = PrometheusServiceDiscoveryWriter(self.gcs_address, self.temp_dir, self._session_dir)
        writer.write()  # type: ignore[no-untyped-call]


def _start(parent: TextIO, config_file: Path, port: int, temp_dir: Path) -> Head:
    """A cluster with the application on it.

    Raises:
        AigeError: Serve does not take the config file, or the data folder's journal or store cannot be opened.
        RuntimeError: the application does not start; and whatever Ray raises.
    """
    config = _read(config_file)
    config.http_options.port = port
    _try_out(Settings.load(config_file), Environment())
    _tell(parent, {"step": "Starting Ray"})
    head = _start_ray(temp_dir)
    _tell(parent, {"step": "Starting Serve"})
    _deploy(config)
    _until_up(parent, config.applications[0].name)
    head.write_metrics_address()
    ray.shutdown()  # Serve lives on without its driver
    return head


def _read(config_file: Path) -> ServeDeploySchema:
    try:
        return ServeDeploySchema.model_validate(read_config(config_file))
    except ValidationError as error:
        raise SettingsError(first_fault(error)) from None


def _try_out(settings: Settings, environment: Environment) -> None:
    """Opens what the service will, to say before Ray starts why it could not."""
    open_store(settings, environment)
    if environment.journal(settings) == "sqlite":
        asyncio.run(open_journal("sqlite", environment.aige_data_dir, "").close())


def _take_stdout() -> TextIO:
    """Keeps stdout for reports; whatever prints from now on goes to stderr, the log."""
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return reports


def _tell(parent: TextIO, report: Report) -> None:
    parent.write(json.dumps(report) + "\n")


def _start_ray(temp_dir: Path) -> Head:
    """A cluster of one node, with this process connected."""
    wanted = RayParams(
        temp_dir=str(temp_dir),
        object_store_memory=OBJECT_STORE_BYTES,
        dashboard_agent_listen_port=0,  # any free one, not a fixed one
        include_log_monitor=False,  # type: ignore[arg-type]  # it would show a driver the logs; Ray mistypes it
        no_monitor=True,  # the autoscaler's, which has no nodes to add
    )
    # What else binds Ray to us than Linux's kernel would take `watch` for our end.
    head = Head(wanted, head=True, shutdown_at_exit=False, spawn_reaper=sys.platform == "linux")
    ray.init(head.address, namespace="serve", log_to_driver=False)
    return head


def _deploy(config: ServeDeploySchema) -> None:
    client = serve_start(
        proxy_location=config.proxy_location,
        http_options=config.http_options.model_dump(),
        grpc_options=gRPCOptions(**config.grpc_options.model_dump()),
        global_logging_config=config.logging_config,
    )
    client.deploy_apps(config, _blocking=False)


def _until_up(parent: TextIO, name: str) -> None:
    """Reports the deployments as they come up.

    Raises:
        RuntimeError: the application failed; says why.
    """
    told = ""
    while (app := serve.status().applications[name]).status != "RUNNING":
        if app.status in ("DEPLOY_FAILED", "UNHEALTHY"):
            failed = [one.message for one in app.deployments.values() if one.status == "DEPLOY_FAILED"]
            raise RuntimeError("\n".join(failed) or app.message)
        step = _step(app)
        if step != told:
            _tell(parent, {"step": step})
            told = step
        time.sleep(0.5)


def _step(app: ApplicationStatusOverview) -> str:
    waiting = [name for name, deployment in app.deployments.items() if deployment.status != "HEALTHY"]
    if not app.deployments:
        return "Building the graph"
    return f"Starting the deployments: {len(app.deployments) - len(waiting)} of {len(app.deployments)} are up"


if __name__ == "__main__":
    main()
