"""A Ray cluster on simulated machines, with AIGE on it."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from deployments.config_file import read_config
from tests.cluster.machine import RAYS_FOLDER, Machine
from tests.cluster.network import PATH
from tests.cluster.services import Outside, Store
from tests.cluster_files import CLUSTER_YAML, cluster_environment
from tests.running import ROOT

GCS_PORT = 6380
DASHBOARD_PORT = 8265
TOKEN = "0123456789abcdef" * 4
PATIENCE_S = 300
RAY = str(Path(sys.executable).with_name("ray"))
TASK_STATUS = "ray::TaskStatus"
HAPROXY_FILES = {
    "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": "haproxy.cfg",
    "RAY_SERVE_HAPROXY_SOCKET_PATH": "admin.sock",
    "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": "metrics.sock",
    "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": "haproxy",
    "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": "haproxy/server-state",
}
"""By default in /tmp, which the simulated machines share."""
DRAIN_S = 20
"""Instead of the 330 s of a real cluster: a trial does not wait so long."""


class RayCluster:
    """One head and some workers, whose proxies answer at port 8000; started with what `deploy/` holds."""

    def __init__(self, head: Machine, workers: Sequence[Machine], store: Store, outside: Outside) -> None:
        self.head = head
        self._lives = count()
        self._life = ""
        self.workers = list(workers)
        self._outside = outside
        self._settings: dict[str, object] = {
            **outside.settings,
            "journal": store.url,
            "public_url": f"http://{head.address}:8000",
        }
        self._environment = {
            **cluster_environment(),
            **outside.environment,
            "PATH": f"{Path(sys.executable).parent}:{PATH}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": str(DRAIN_S),
            "RAY_worker_niceness": "0",  # by default 15: machines that start would starve the others, on the same cores
        }
        self._environment |= {name: f"{RAYS_FOLDER}/{file}" for name, file in HAPROXY_FILES.items()}
        if "HOME" in os.environ:
            self._environment["HOME"] = os.environ["HOME"]

    @property
    def machines(self) -> list[Machine]:
        return [self.head, *self.workers]

    @property
    def api(self) -> list[str]:
        """Where a client, or a load balancer, finds it: every node, as KubeRay's service does but for the head."""
        return [f"http://{machine.address}:8000/api/v1" for machine in self.workers]

    def start_head(self) -> None:
        """With what the head of this cluster knew before."""
        place = [f"--node-ip-address={self.head.address}", f"--port={GCS_PORT}", "--num-cpus=0"]
        dashboard = ["--dashboard-host=0.0.0.0", f"--dashboard-port={DASHBOARD_PORT}"]
        command = [RAY, "start", "--head", "--block", *place, *dashboard, "--object-store-memory=100000000"]
        kept = {"RAY_REDIS_ADDRESS": self._outside.heads, "RAY_external_storage_namespace": self._life}
        self.head.start(command, {**self._of(self.head), **kept})

    def start_worker(self, worker: Machine) -> None:
        place = [f"--address={self.head.address}:{GCS_PORT}", f"--node-ip-address={worker.address}"]
        command = [RAY, "start", "--block", *place, "--num-cpus=2", "--object-store-memory=100000000"]
        worker.start(command, self._of(worker))

    def start(self) -> None:
        """A new cluster, and AIGE on it; returns once everything is up."""
        self._life = f"{self.head.name}-{next(self._lives)}"
        self.start_head()
        self.until(lambda: self._ask("/api/version") != {}, "the head never answers")
        for worker in self.workers:
            self.start_worker(worker)
        self.deploy()
        self.until_whole()

    def deploy(self, **changes: object) -> None:
        """Gives Serve the config of `deploy/cluster.yaml`, with the lab's addresses in it."""
        config = self.config(**changes)
        file = self.head.folder / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        put = ["--request", "PUT", "--header", "Content-Type: application/json", "--data", f"@{file}"]
        code = ["--output", "/dev/null", "--write-out", "%{http_code}"]
        self.until(lambda: self._curl("/api/serve/applications/", *put, *code) == "200", "Serve takes no config")

    def config(self, **changes: object) -> dict[str, object]:
        config = read_config(CLUSTER_YAML)
        applications = config["applications"]
        assert isinstance(applications, list)
        (application,) = applications
        application["args"] |= {**self._settings, **changes}
        for deployment in application["deployments"]:
            deployment["autoscaling_config"] |= {"min_replicas": len(self.workers), "max_replicas": len(self.workers)}
        return config

    def until_whole(self) -> None:
        """Waits until Serve runs all that was deployed, on all machines."""

        def is_whole() -> bool:
            application = self.application()
            assert application.get("status") != "DEPLOY_FAILED", application
            deployments = application.get("deployments", {})
            assert isinstance(deployments, dict)
            healthy = all(one["status"] == "HEALTHY" for one in deployments.values())
            return application.get("status") == "RUNNING" and healthy and all(map(self._serves, self.workers))

        self.until(is_whole, "it is never whole")

    def application(self) -> dict[str, object]:
        """What Serve says of it; nothing while the head is away, or does not know it."""
        applications = self._ask("/api/serve/applications/").get("applications", {})
        assert isinstance(applications, dict)
        found: dict[str, object] = applications.get("aige", {})
        return found

    def task_status(self) -> Machine:
        """The machine on which TaskStatus runs, the only one."""
        (found,) = [machine for machine in self.machines if machine.processes(TASK_STATUS)]
        return found

    def kill_task_status(self) -> None:
        """Its process alone."""
        (process,) = self.task_status().processes(TASK_STATUS)
        process.kill()

    def until(self, happened: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
        give_up = time.monotonic() + patience_s
        while not happened():
            assert time.monotonic() < give_up, f"{otherwise}; see {self.head.folder} and {self.application()}"
            time.sleep(0.5)

    def end(self) -> None:
        """All its machines at once."""
        for machine in self.machines:
            machine.kill()

    def _serves(self, worker: Machine) -> bool:
        return self.head.said(["curl", "--silent", "--max-time", "5", f"{worker.address}:8000/-/healthz"]) == "success"

    def _ask(self, path: str) -> Mapping[str, object]:
        """A dashboard's answer; nothing where it has none."""
        with suppress(json.JSONDecodeError):
            body: Mapping[str, object] = json.loads(self._curl(path))
            return body
        return {}

    def _curl(self, path: str, *arguments: str) -> str:
        options = ["--silent", "--fail", "--max-time", "10", "--header", f"Authorization: Bearer {TOKEN}"]
        return self.head.said(["curl", *options, *arguments, f"http://{self.head.address}:{DASHBOARD_PORT}{path}"])

    def _of(self, machine: Machine) -> dict[str, str]:
        return {**self._environment, "AIGE_DATA_DIR": str(machine.folder / "var")}
