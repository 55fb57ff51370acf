"""Webhooks of a running service, on a receiver that anybody could have written."""

import time

from standardwebhooks import Webhook

from tests.e2e.service import TASK_PATIENCE_S, WEBHOOK_SECRET, Service
from tests.sinks.object_store import Request


def heard(service: Service, path: str, times: int) -> list[Request]:
    """What the receiver at `path` was sent, once it is so many requests."""
    give_up = time.monotonic() + TASK_PATIENCE_S
    while len(requests := service.sink.requests[path]) < times:
        assert time.monotonic() < give_up, f"heard {len(requests)} of {times}"
        time.sleep(0.05)
    return requests


def delivered(service: Service, task_id: str, tries: int) -> None:
    give_up = time.monotonic() + TASK_PATIENCE_S
    while (webhook := service.task(task_id).webhook) is None or webhook.tries < tries:
        assert time.monotonic() < give_up, webhook
        time.sleep(0.05)
    assert webhook.state == "delivered"


def test_the_end_of_a_task_is_told_and_can_be_told_again(service: Service) -> None:
    """Signed, with the task as `GET /task/{id}` shows it; again with the same id."""
    task_id = service.background("/told.png", "instant", webhookUrl=f"{service.sink.url}/hook-1?token=1")
    delivered(service, task_id, 1)
    assert service.http.post(f"/task/{task_id}/webhook").status_code == 202
    delivered(service, task_id, 2)
    first, again = heard(service, "/hook-1", 2)
    for request in (first, again):
        body = Webhook(WEBHOOK_SECRET).verify(request.body, request.headers)
        assert body["type"] == "task.done"
        assert body["data"]["aige_task_id"] == request.headers["webhook-id"] == task_id
        assert body["data"]["status"] == "done"
    assert service.http.get("/service").json()["webhooks"] is True


def test_a_try_that_fails_is_repeated_after_five_seconds(service: Service) -> None:
    """An error's end is told too."""
    service.sink.answers["/hook-2"] = [503]
    url = f"{service.sink.url}/hook-2"
    task_id = service.background("/told.png", "fails content_rejected", webhookUrl=url)
    first, again = heard(service, "/hook-2", 2)
    seconds = [int(request.headers["webhook-timestamp"]) for request in (first, again)]
    assert 4 <= seconds[1] - seconds[0] <= 20
    delivered(service, task_id, 2)
    assert b'"task.error"' in again.body
