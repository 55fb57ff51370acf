"""What a webhook says, and how it is signed: Standard Webhooks 1.0.0 (https://www.standardwebhooks.com)."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from deployments.api.answers import TaskResponse
from deployments.tasks.record import Status, Task

MOST_BYTES = 20_000
"""Of a body; at least one byte fewer."""
MOST_MESSAGE = 2_000
"""Characters of an error's message, where the body is too long."""
CUT = "…"


class WebhookBody(BaseModel):
    """The task has ended: `timestamp` says when, `data` is the task as `GET /task/{id}` shows it."""

    type: Literal["task.done", "task.error"]
    timestamp: datetime
    data: TaskResponse


def body_of(task: Task) -> bytes:
    """The body for a task that has ended. Where it would be too long, the last notes are left out."""
    data = TaskResponse.of(task)
    body = _encoded(task, data)
    if len(body) >= MOST_BYTES and data.error is not None:
        data.error.message = data.error.message[:MOST_MESSAGE]
        body = _encoded(task, data)
    while len(body) >= MOST_BYTES and data.notes != [CUT]:
        data.notes = [*data.notes[: len(data.notes) // 2], CUT] if len(data.notes) > 1 else [CUT]
        body = _encoded(task, data)
    return body


def headers_of(task: Task, at: datetime, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of a try that is made `at` this time: the same id for each try, and a signature by each secret."""
    webhook_id, timestamp = task.id, str(int(at.timestamp()))
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signatures = (b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _encoded(task: Task, data: TaskResponse) -> bytes:
    kind: Literal["task.done", "task.error"] = "task.done" if task.status is Status.DONE else "task.error"
    return WebhookBody(type=kind, timestamp=task.timeline[-1].at, data=data).model_dump_json().encode()
