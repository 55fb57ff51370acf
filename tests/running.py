"""A service of a test's own, started by `scripts.run` as users do."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import httpx
import yaml

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
OURS = ("AIGE_", "FAL_", "AWS_")
"""What a developer's shell holds of them is not for tests."""

_services = count()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def own_ports() -> dict[str, str]:
    """The environment of one service of which no part listens where a part of another service of the tests does.

    Where an ingress has died, its HAProxy asks whoever listens now at its port, or at the port of Serve's own proxy.
    """
    proxies = ("HAPROXY_STATS_PORT", "HAPROXY_METRICS_PORT", "FALLBACK_PROXY_HTTP_PORT")
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 30_000 + 30 * (40 * (worker % 2) + next(_services) % 40)
    return {f"RAY_SERVE_{name}": str(free_port()) for name in proxies} | {
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(first + 29),
    }


class RunningService:
    """`settings` replace those of `serve_config.yaml`, section by section; all that is kept lies below `folder`.

    `AIGE_PROFILE` is heard: the same tests hold in each profile.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object], environment: Mapping[str, str]) -> None:
        port = free_port()
        self.data = folder / "var"
        self.url = f"http://127.0.0.1:{port}"
        self.rows: dict[str, str] = {}
        self.client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=15, trust_env=False)
        self._config = folder / "serve_config.yaml"
        self._port = port
        self._settings = settings
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self._environment |= {**environment, "AIGE_DATA_DIR": str(self.data)}
        self._environment |= {name: os.environ[name] for name in ("AIGE_PROFILE",) if name in os.environ}
        self._environment |= own_ports()
        self._run: subprocess.Popen[str] | None = None
        self._write_config({})

    @property
    def token_file(self) -> Path:
        """What the dashboard asks for."""
        return self.data / "ray-token"

    @property
    def dashboard(self) -> str:
        """Its address."""
        return self.rows["dashboard"].split()[0]

    @property
    def logs(self) -> Path:
        """The folder that the service writes them to."""
        return Path(self.rows["logs"])

    def start(self) -> None:
        """Starts the service, as `make run` does, and waits until it serves; `rows` is what it then says of itself."""
        self._run = subprocess.Popen(
            [sys.executable, "-m", "scripts.run", "--config", str(self._config), "--port", str(self._port)],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._run.stdout
        heard = []
        for line in self._run.stdout:
            heard.append(line)
            name, _, value = line.strip().partition("  ")
            self.rows[name] = value.strip()
            if name == "dashboard":  # the last of them
                # Whoever is not listened to blocks in the end.
                threading.Thread(target=self._run.stdout.read, daemon=True).start()
                return
        raise AssertionError("the service did not start:\n" + "".join(heard))

    def configure(self, variables: Mapping[str, str | None], **changes: object) -> None:
        """Other settings and variables for the next start; a variable that is None is taken away."""
        self._write_config(changes)
        changed = {**self._environment, **variables}
        self._environment = {name: value for name, value in changed.items() if value is not None}

    def deploy(self, *, ingresses: int = 1, **changes: object) -> None:
        """Deploys again with other settings, as an operator does; Serve goes on with it by itself."""
        self._write_config(changes, ingresses)
        serve = Path(sys.executable).with_name("serve")
        environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token_file)}
        deploying = [str(serve), "deploy", str(self._config), "--address", self.dashboard]
        subprocess.run(deploying, env=environment, check=True, capture_output=True)

    def until_deployed(self) -> None:
        """Waits until all that runs is of the last deployment."""
        headers = {"Authorization": f"Bearer {self.token_file.read_text()}"}

        def is_deployed() -> bool:
            url = f"{self.dashboard}/api/serve/applications/"
            answer = httpx.get(url, headers=headers, timeout=PATIENCE_S, trust_env=False)
            return bool(answer.json()["applications"]["aige"]["status"] == "RUNNING")

        self.wait_until(is_deployed, "it is never deployed")

    def wait_until(self, happened: Callable[[], bool], otherwise: str) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < give_up, otherwise
            time.sleep(0.2)

    def close(self) -> None:
        """Stops the service; nothing of it is left afterwards."""
        self.client.close()
        if self._run:
            self._run.terminate()
            self._run.wait(60)

    def _write_config(self, changes: Mapping[str, object], ingresses: int = 1) -> None:
        config = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
        (ingress,) = (one for one in config["applications"][0]["deployments"] if one["name"] == "Ingress")
        ingress["autoscaling_config"]["min_replicas"] = ingresses
        config["applications"][0]["args"] |= {**self._settings, **changes}
        config["http_options"]["port"] = self._port
        self._config.write_text(yaml.safe_dump(config), encoding="utf-8")
