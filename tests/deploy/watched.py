"""A service that tells its traces, whose metrics Prometheus scrapes, and whose journal is a Redis that can be full."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from redis import Redis

from scripts import cluster
from tests.chaos.harness import Chaos
from tests.chaos.paid import PaidProvider
from tests.deploy.otlp_receiver import OtlpReceiver, receiving
from tests.running import PATIENCE_S, free_port

BILLING, BUSY = "tests.deploy.engines:BillingEngine", "tests.deploy.engines:BusyEngine"
SECRET = "whsec_" + base64.b64encode(b"the-tests-own-webhook-key").decode()
PER_MINUTE = 16
"""More tasks than the tests start before they mean to be refused."""
LIMITS = {
    "prices": {"billing/model": 0.5},
    "callers": {"default": {"tasks_per_minute": PER_MINUTE, "spend_per_day": 1000}},
}
ENGINES = {"portrait": BILLING, "background": [BUSY, BILLING], "cut_out": BILLING, "blend": "none"}


@dataclass
class Watched:
    """The running service, and who watches it."""

    service: Chaos
    redis: Redis
    traces: OtlpReceiver
    prometheus: httpx.Client

    def query(self, expression: str) -> list[Any]:
        """The series that the expression has now."""
        answer = self.prometheus.get("/api/v1/query", params={"query": expression})
        assert answer.is_success, f"{expression}: {answer.text}"
        series: list[Any] = answer.json()["data"]["result"]
        return series


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """All of it; nothing is left afterwards."""
    port = free_port()
    with _redis(folder, port) as redis, receiving() as traces:
        provider = PaidProvider(latency_s=3)
        options = {BILLING: provider.settings["engine_options"], BUSY: {}}
        provider.settings = {
            "engine": BILLING,
            "engines": ENGINES,
            "engine_options": options,
            **LIMITS,
            "journal": f"redis://127.0.0.1:{port}/0",
        }
        provider.environment = {
            **provider.environment,
            "AIGE_WEBHOOK_SECRET": SECRET,
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "RAY_metrics_report_interval_ms": "1000",
        }
        service = Chaos(folder, provider)
        try:
            service.start()
            with _prometheus(folder, cluster.ray_dir(service.data)) as prometheus:
                yield Watched(service, redis, traces, prometheus)
        finally:
            service.close()


@contextmanager
def _redis(folder: Path, port: int) -> Iterator[Redis]:
    program = shutil.which("redis-server")
    assert program, "these tests need a Redis server: install Debian's package redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any("ready to accept connections" in line.lower() for line in server.stdout)
        try:
            with Redis(port=port) as redis:
                yield redis
        finally:
            server.terminate()


@contextmanager
def _prometheus(folder: Path, ray: Path) -> Iterator[httpx.Client]:
    """Scrapes what Ray's discovery file names, as docs/operations.md says."""
    program = shutil.which("prometheus")
    assert program, "these tests need Prometheus: install Debian's package prometheus"
    targets = [{"files": [str(ray / "prom_metrics_service_discovery.json")], "refresh_interval": "1s"}]
    scrape = {"job_name": "ray", "scrape_interval": "2s", "scrape_timeout": "2s", "file_sd_configs": targets}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (
        subprocess.Popen(command) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False) as client,
    ):
        try:
            _until_ready(client)
            yield client
        finally:
            server.terminate()


def _until_ready(client: httpx.Client) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        try:
            if client.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("Prometheus does not start")


def panels(dashboard: Path) -> Mapping[str, list[str]]:
    """The queries of each panel, by its title."""
    board = json.loads(dashboard.read_text(encoding="utf-8"))
    return {panel["title"]: [one["expr"] for one in panel.get("targets", [])] for panel in board["panels"]}
