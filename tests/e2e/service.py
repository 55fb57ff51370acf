"""The service as its clients see it: HTTP, and nothing else. Its API key and secret are those of the tests."""

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deployments.api.answers import TaskResponse
from tests.sinks.object_store import ObjectStoreSink

API_KEY = "the-end-to-end-tests-own-api-key"
HASTY_KEY = "of-a-caller-that-may-start-two-tasks-a-minute"
SHUT_OUT_KEY = "of-a-caller-that-may-start-none"
STORAGE_SECRET = "the-end-to-end-tests-own-storage-secret"
WEBHOOK_SECRET = f"whsec_{base64.b64encode(b'the end-to-end tests own webhook secret').decode()}"
URL_SECRET = "5ecre7519na7ure"
"""What stands for the signature in every `writeUrl` of the tests."""

PHOTO = Path(__file__).parents[2] / "scripts/sample/astronaut.jpg"
TASK_PATIENCE_S = 120

STAGE_S = 30
ATTEMPTS = 3
TASKS_IN_FLIGHT = 60
SETTINGS: dict[str, object] = {
    "engine": "tests.faults.engine:ByPrompt",
    "attempts": ATTEMPTS,
    "limits": {"tasks_in_flight": TASKS_IN_FLIGHT},
    "deadlines": {"stage_s": STAGE_S},
    "callers": {"hasty": {"tasks_per_minute": 2}, "shut-out": {"tasks_in_flight": 0}},
}

Body = dict[str, object]


@dataclass(frozen=True)
class Service:
    """A running service, the store that its results go to, and where it writes its logs."""

    http: httpx.Client
    sink: ObjectStoreSink
    logs: Path

    def urls(self, path: str) -> Body:
        """Where the result goes: to `path` of the sink."""
        return {"writeUrl": f"{self.sink.url}{path}?X-Amz-Signature={URL_SECRET}", "readUrl": self.sink.url + path}

    def avatar_body(self, write: str, prompt: str, photo: str | None = None, **fields: object) -> Body:
        photo = photo or base64.b64encode(PHOTO.read_bytes()).decode()
        return {"prompt": prompt, "source_images": [photo], "avatar_id": "a", **self.urls(write), **fields}

    def background_body(self, write: str, prompt: str, **fields: object) -> Body:
        return {"prompt": prompt, "avatar_id": "a", **self.urls(write), **fields}

    def overlay_body(self, write: str, params: Mapping[str, object], **fields: object) -> Body:
        return {"prompt": "together", "avatar_id": "a", "params": params, **self.urls(write), **fields}

    def avatar(self, write: str, prompt: str, photo: str | None = None, **fields: object) -> str:
        """Submits, and answers the task's id."""
        return _accepted(self.http.post("/avatar", json=self.avatar_body(write, prompt, photo, **fields)), 201)

    def background(self, write: str, prompt: str, **fields: object) -> str:
        body = self.background_body(write, prompt, **fields)
        return _accepted(self.http.put("/avatar/a/background", json=body), 200)

    def overlay(self, write: str, params: Mapping[str, object], **fields: object) -> str:
        return _accepted(self.http.put("/avatar/a/overlay", json=self.overlay_body(write, params, **fields)), 200)

    def status(self, task_id: str) -> str:
        answer = self.http.get(f"/task/{task_id}/status")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    def until(self, task_id: str, status: str) -> None:
        """Waits until it is shown: an ingress hears of a change a moment later."""
        give_up = time.monotonic() + TASK_PATIENCE_S
        while (shown := self.status(task_id)) != status:
            assert time.monotonic() < give_up, f"it still shows {shown}"

    def task(self, task_id: str) -> TaskResponse:
        return TaskResponse.model_validate(self.http.get(f"/task/{task_id}").json())

    def events(self, task_id: str) -> Iterator[TaskResponse]:
        """What the event stream tells, to its end."""
        with self.http.stream("GET", f"/task/{task_id}/events", timeout=TASK_PATIENCE_S) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield TaskResponse.model_validate_json(line.removeprefix("data:"))

    def ended(self, task_id: str) -> TaskResponse:
        """The task in its final status."""
        *_, last = self.events(task_id)
        assert last.status.is_terminal
        return last

    def polled(self, task_id: str) -> list[str]:
        """Every status that polling shows, to the final one, each time that it changes."""
        seen: list[str] = []
        give_up = time.monotonic() + TASK_PATIENCE_S
        while time.monotonic() < give_up:
            status = self.status(task_id)
            if seen[-1:] != [status]:
                seen.append(status)
            if status in {"done", "error"}:
                return seen
        raise AssertionError(f"the task does not end: {seen}")

    def failure(self, task_id: str) -> str:
        """The code with which the task ended."""
        task = self.ended(task_id)
        assert task.status == "error"
        assert task.readUrl is None
        assert task.error is not None
        assert task.error.message.endswith(".")
        return task.error.code


def _accepted(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["aige_task_id"])


def assert_is_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert {"type", "title", "detail"} <= set(answer.json())
    assert answer.json()["detail"].endswith(".")
