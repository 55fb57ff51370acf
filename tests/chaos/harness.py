"""A service on a paid provider, tasks that keep coming, and a hand that kills.

The client behaves as a careful one does: it sends an Idempotency-Key, and repeats what was not answered.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import psutil

from scripts import processes
from tests.chaos.paid import PaidProvider, Provider
from tests.running import PATIENCE_S, RunningService

STAGES = ("AvatarGenerator", "BackgroundGenerator", "BackgroundRemover", "Overlayer", "Uploader")
VICTIMS = tuple(f"ray::ServeReplica:aige:{name}" for name in ("Ingress", *STAGES))
VICTIMS += ("ray::TaskStatus", "ray::ServeController", "ray::ProxyActor")


@dataclass
class Tally:
    """How many tasks were accepted, and how they ended."""

    accepted: int = 0
    done: int = 0
    unknown: int = 0
    lost: list[str] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)


class Chaos(RunningService):
    """The service under attack."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        super().__init__(folder, provider.settings, provider.environment)
        self.provider = provider

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.provider.close()

    def submit(self, name: str, **more: object) -> str:
        """Starts what the first word of `name` says, with `more` fields; answers the task's id."""
        answer = self.answered(name, **more)
        assert answer.is_success, answer.text
        return str(answer.json()["aige_task_id"])

    def answered(self, name: str, **more: object) -> httpx.Response:
        """Submits what the first word of `name` says until it is accepted, or refused with 429."""
        where = self.provider.store(name)
        body: dict[str, object] = {"prompt": name, "avatar_id": "a", "writeUrl": where, "readUrl": where, **more}
        kind = name.partition("-")[0]
        if kind == "avatar":
            body["source_images"] = [self.provider.person(name)]
        if kind == "overlay":
            pictures = {"person": self.provider.person(name), "background": self.provider.scene()}
            body["params"] = {**pictures, "position": {"x": 0, "y": 0, "scale": 1}}
        method, path = ("POST", "/avatar") if kind == "avatar" else ("PUT", f"/avatar/a/{kind}")
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            with suppress(httpx.TransportError, json.JSONDecodeError):
                answer = self.client.request(method, path, json=body, headers={"Idempotency-Key": name})
                if answer.is_success or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    return answer
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
            stages = self.provider.stages[name.partition("-")[0]]
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
                tally.lost.append(f"{name}: {task['error']} {task}")


@contextmanager
def chaos(folder: Path, provider: Provider | None = None) -> Iterator[Chaos]:
    """A running service; nothing of it, or of its provider, is left afterwards."""
    service = Chaos(folder, provider or PaidProvider())
    try:
        service.start()
        yield service
    finally:
        service.close()


numbers = count()


def submit_one_of_each(service: Chaos) -> dict[str, str]:
    """A task of each kind, by name."""
    names = [f"{kind}-{next(numbers)}" for kind in service.provider.stages]
    return {name: service.submit(name) for name in names}


def assert_all_done(service: Chaos, tasks: dict[str, str]) -> None:
    """Waits for them to end, and looks at the books."""
    tally = Tally()
    service.audit(tasks, tally)
    assert tally.lost == []
    assert tally.done == tally.accepted
