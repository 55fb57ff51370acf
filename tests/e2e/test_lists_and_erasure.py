"""Lists of tasks, and erasure, on a running service."""

import base64
import time
from itertools import count

import httpx

from tests.e2e.service import PHOTO, TASK_PATIENCE_S, Service, assert_is_problem

avatars = (f"erased {number}" for number in count())


def test_an_avatar_is_listed_and_then_erased(service: Service, anyone: httpx.Client) -> None:
    """Tasks, results and an uploaded photo; for every replica of the service, and for those who watch."""
    avatar_id = next(avatars)
    photo, result = (service.http.post("/storage/presign").json() for _ in range(2))
    anyone.put(photo["writeUrl"], content=PHOTO.read_bytes())
    body = service.avatar_body("", "a cartoon portrait", avatar_id=avatar_id, source_images=[photo["readUrl"]])
    body |= {"writeUrl": result["writeUrl"], "readUrl": result["readUrl"]}
    done = service.http.post("/avatar", json=body).json()["aige_task_id"]
    assert service.ended(done).error is None
    running = service.avatar(
        "/never.png", "hangs /dev/null", base64.b64encode(PHOTO.read_bytes()).decode(), avatar_id=avatar_id
    )
    listed = service.http.get("/tasks", params={"avatar_id": avatar_id}).json()
    assert [task["aige_task_id"] for task in listed["tasks"]] == [running, done]
    with service.http.stream("GET", f"/task/{running}/events", timeout=TASK_PATIENCE_S) as stream:
        report = service.http.delete(f"/avatar/{avatar_id}").json()
        stream.read()
    assert report == {"avatar_id": avatar_id, "tasks": 2, "objects": 2, "provider": []}
    for url in (photo["readUrl"], result["readUrl"]):
        assert_is_problem(anyone.get(url), 404)
    for task_id in (done, running):
        until_gone(service, task_id)
    assert service.http.get("/tasks", params={"avatar_id": avatar_id}).json()["tasks"] == []
    assert_is_problem(service.http.delete(f"/avatar/{avatar_id}"), 404)


def until_gone(service: Service, task_id: str) -> None:
    """Another ingress hears of it a moment later."""
    give_up = time.monotonic() + TASK_PATIENCE_S
    while (answer := service.http.get(f"/task/{task_id}")).status_code != 404:
        assert time.monotonic() < give_up
    assert_is_problem(answer, 404)
    assert_is_problem(service.http.get(f"/task/{task_id}/status"), 404)
