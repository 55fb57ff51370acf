"""A service on the paid provider, tasks that keep coming, and a hand that kills.

The client behaves as a careful one does: it sends an Idempotency-Key, and repeats what was not answered.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import yaml

from scripts import processes

ROOT = Path(__file__).parents[2]
STAGES = ("AvatarGenerator", "BackgroundGenerator", "BackgroundRemover", "Overlayer", "Uploader")
VICTIMS = tuple(f"ray::ServeReplica:aige:{name}" for name in ("Ingress", "Pipeline", *STAGES))
VICTIMS += ("ray::TaskStatus", "ray::ServeController", "ray::ProxyActor")
CHARGED = {"avatar": ("portrait", "cut_out"), "background": ("background",), "overlay": ()}
PATIENCE_S = 120


@dataclass
class Tally:
    """How many tasks were accepted, and how they ended."""

    accepted: int = 0
    done: int = 0
    unknown: int = 0
    lost: list[str] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)


class Provider:
    """The provider's process."""

    def __init__(self, latency_s: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.provider", str(latency_s)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.host = f"127.0.0.1:{int(self._process.stdout.readline())}"
        self.url = f"http://{self.host}"

    def books(self) -> dict[str, dict[str, int]]:
        books: dict[str, dict[str, int]] = httpx.get(f"{self.url}/books", trust_env=False).json()
        return books

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Chaos:
    """The service under attack."""

    def __init__(self, folder: Path, port: int, latency_s: float = 2) -> None:
        self.provider = Provider(latency_s)
        self.data = folder / "var"
        self._config = folder / "serve_config.yaml"
        self._port = port
        self._write_config({})
        self._dashboard = ""
        self._run: subprocess.Popen[str] | None = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=15, trust_env=False)

    def _write_config(self, changes: dict[str, object]) -> None:
        config = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
        settings = config["applications"][0]["args"]
        settings["engine"] = "tests.chaos.engine:PaidEngine"
        settings["engine_options"] = {"url": self.provider.url}
        settings |= changes
        config["http_options"]["port"] = self._port
        self._config.write_text(yaml.safe_dump(config), encoding="utf-8")

    def start(self) -> None:
        """Starts the service, as `make run` does, and waits until it serves."""
        self._run = subprocess.Popen(
            [sys.executable, "-m", "scripts.run", "--config", str(self._config), "--port", str(self._port)],
            cwd=ROOT,
            env={**os.environ, "AIGE_DATA_DIR": str(self.data), "AIGE_ALLOW_HOSTS": self.provider.host},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._run.stdout
        heard = []
        for line in self._run.stdout:
            heard.append(line)
            if line.split()[:1] == ["dashboard"]:  # one of the lines that follow `Ready`
                self._dashboard = line.split()[1]
                # Whoever is not listened to blocks in the end.
                threading.Thread(target=self._run.stdout.read, daemon=True).start()
                return
        raise AssertionError("the service did not start:\n" + "".join(heard))

    def deploy(self, **changes: object) -> None:
        """Deploys again with other settings, as an operator does, and waits until that is done."""
        self._write_config(changes)
        serve = Path(sys.executable).with_name("serve")
        environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.data / "ray-token")}
        deploying = [str(serve), "deploy", str(self._config), "--address", self._dashboard]
        subprocess.run(deploying, env=environment, check=True, capture_output=True)

    def close(self) -> None:
        if self._run:
            self._run.send_signal(signal.SIGINT)
            self._run.wait(60)
        self.provider.close()

    def submit(self, name: str) -> str:
        """Starts what the first word of `name` says; answers the task's id."""
        where = f"{self.provider.url}/uploads/{name}"
        person, scene = (f"{self.provider.url}/pictures/{kind}" for kind in ("person", "scene"))
        body: dict[str, object] = {"prompt": name, "avatar_id": "a", "writeUrl": where, "readUrl": where}
        kind = name.partition("-")[0]
        if kind == "avatar":
            body["source_images"] = [person]
        if kind == "overlay":
            position = {"x": 0, "y": 0, "scale": 1}
            body["params"] = {"person": person, "background": scene, "position": position}
        method, path = ("POST", "/avatar") if kind == "avatar" else ("PUT", f"/avatar/a/{kind}")
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            with suppress(httpx.TransportError, json.JSONDecodeError):
                answer = self.client.request(method, path, json=body, headers={"Idempotency-Key": name})
                if answer.is_success:
                    return str(answer.json()["aige_task_id"])
                # 503 while the actor restarts; 500 or Ray's own plain 404 while the app does.
                assert answer.status_code in {404, 500, 503}, answer.text
            time.sleep(0.2)
        raise AssertionError(f"{name} was never accepted")

    def ended(self, task_id: str) -> dict[str, object]:
        """The task in its final state."""
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            with suppress(httpx.TransportError, json.JSONDecodeError):
                answer = self.client.get(f"/task/{task_id}")
                if answer.is_success and answer.json()["status"] in {"done", "error"}:
                    task: dict[str, object] = answer.json()
                    return task
            time.sleep(0.2)
        raise AssertionError(f"task {task_id} never ended")

    def victims(self, title: str) -> list[psutil.Process]:
        """The living processes of this run with that title."""
        found = []
        for process in processes.marked(self.data):
            with suppress(psutil.Error):
                if " ".join(process.cmdline()).startswith(title):
                    found.append(process)
        return found

    def kill(self, title: str) -> None:
        """Kills one process outright."""
        self._victim(title).kill()

    def freeze(self, title: str) -> None:
        """Stops one process as it is: it holds its connections, and answers nothing any more."""
        self._victim(title).suspend()

    def _victim(self, title: str) -> psutil.Process:
        """One living process, waited for where an earlier attack has just taken it."""
        self.wait_until(lambda: bool(self.victims(title)), f"there is no {title}")
        return self.victims(title)[0]

    def wait_until(self, happened: Callable[[], bool], otherwise: str) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < give_up, otherwise
            time.sleep(0.2)

    def kill_everything(self) -> None:
        """All processes of the run at once, and the one that started them."""
        assert self._run
        self._run.kill()
        self._run.wait()
        for process in processes.marked(self.data):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def audit(self, tasks: dict[str, str], tally: Tally) -> None:
        """Waits for all tasks (name to id) and compares what they say with the provider's books."""
        for name, task_id in tasks.items():
            tally.accepted += 1
            task = self.ended(task_id)
            stages = CHARGED[name.partition("-")[0]]
            books = self.provider.books()
            charges = [books["charges"].get(f"{stage}-{name}", 0) for stage in stages]
            assert max(charges, default=0) <= 1, f"{name} was charged twice: {charges}"
            if task["status"] == "done":
                assert charges == [1] * len(stages)
                assert name in books["uploads"]
                tally.done += 1
            elif isinstance(task["error"], dict) and task["error"]["code"] == "engine_outcome_unknown":
                tally.unknown += 1
            else:
                tally.lost.append(f"{name}: {task}")


@contextmanager
def chaos(folder: Path, port: int, latency_s: float = 2) -> Iterator[Chaos]:
    """A running service; nothing of it is left afterwards."""
    service = Chaos(folder, port, latency_s)
    try:
        service.start()
        yield service
    finally:
        service.close()
