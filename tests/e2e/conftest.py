"""One real service for all end-to-end tests: its own Ray cluster on a free port, started by `scripts.run` as users do.

Its engine is the local one, which fails where a prompt asks it to (`tests.faults.engine`).
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml

from tests.e2e.service import API_KEY, STORAGE_SECRET, Service
from tests.sinks.object_store import ObjectStoreSink, serving

ROOT = Path(__file__).parents[2]
STAGE_S = 30
ATTEMPTS = 3
TASKS_IN_FLIGHT = 60
START_S = 180


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _config(folder: Path) -> Path:
    """`serve_config.yaml`, with the faulty engine and limits that a test can reach."""
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    settings = config["applications"][0]["args"]
    settings["engine"] = "tests.faults.engine:ByPrompt"
    settings["attempts"] = ATTEMPTS
    settings["limits"]["tasks_in_flight"] = TASKS_IN_FLIGHT
    settings["deadlines"]["stage_s"] = STAGE_S
    path = folder / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@contextmanager
def _running(folder: Path, port: int, allow: str) -> Iterator[Path]:
    """The folder that the service writes its logs to, once it is ready; all of it is gone afterwards."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIGE_", "FAL_", "AWS_"))}
    environment |= {
        "AIGE_DATA_DIR": str(folder / "var"),
        "AIGE_API_KEYS": f"{API_KEY},another",
        "AIGE_STORAGE_SECRET": STORAGE_SECRET,
        "AIGE_ALLOW_HOSTS": allow,
    }
    command = [sys.executable, "-m", "scripts.run", "--config", str(_config(folder)), "--port", str(port)]
    run = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.stdout
    try:
        yield _logs(run.stdout)
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)


def _logs(said: Iterable[str]) -> Path:
    """Waits for the line `Ready`; a later one tells the folder."""
    heard = []
    for line in said:
        heard.append(line)
        if any(earlier.startswith("Ready") for earlier in heard) and line.split()[:1] == ["logs"]:
            return Path(line.split()[1])
    pytest.fail(f"The service did not start:\n{''.join(heard)}")


@pytest.fixture(scope="session")
def sink() -> Iterator[ObjectStoreSink]:
    with serving() as sink:
        yield sink


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, sink: ObjectStoreSink) -> Iterator[Service]:
    folder, port = tmp_path_factory.mktemp("service"), _free_port()
    with (
        _running(folder, port, sink.host) as logs,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"Authorization": f"Bearer {API_KEY}"}, timeout=60
        ) as http,
    ):
        yield Service(http, sink, logs)


@pytest.fixture(scope="session", autouse=True)
def slow(service: Service) -> dict[str, str]:
    """Tasks that take long to end, by name; see `test_time_limits.py`."""
    service.sink.answers["/never-taken.png"] = [500] * 9
    service.sink.answers["/expires.png"] = [503] * 9
    expiry = f"X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Amz-Expires=5"
    return {
        "hangs": service.avatar("/never.png", f"hangs {os.devnull}"),
        "never taken": service.background("/never-taken.png", "instant"),
        "expires": service.background("", "instant", writeUrl=f"{service.sink.url}/expires.png?{expiry}"),
    }
