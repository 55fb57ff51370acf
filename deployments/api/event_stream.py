"""Event streams, in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html.

FastAPI's own streams hold three tasks and two queues each, through which every event goes: with thousands open, they
cost most of what the service does.
"""

from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

from starlette.responses import StreamingResponse

from deployments.api.answers import TaskResponse
from deployments.tasks.record import Task

PING = b": ping\n\n"


class ServerSentEvents(StreamingResponse):
    """Events and comments, each as the bytes that go over the line."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        # No cache may keep it, and no proxy (nginx, say) hold it back.
        super().__init__(events, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


class EventStream(ServerSentEvents):
    """Tells each state of a task as an event `status`; None as a comment, so that nobody takes the line for dead.

    Changes in quick succession may come as one state: a mirror shows what the newest answer to its long-poll told.
    """

    def __init__(self, states: AsyncIterator[Task | None]) -> None:
        super().__init__(_as_events(states))


def documented_events(name: str, schema: str, description: str, **more: Any) -> dict[int | str, dict[str, Any]]:
    """A 200 for OpenAPI 3.2, section 4.14.4: events of this name, whose data is of this schema; `more` they have."""
    item = {
        "type": "object",
        "properties": {
            "event": {"type": "string", "const": name},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": f"#/components/schemas/{schema}"},
            },
            **more,
        },
        "required": ["event", "data", *more],
    }
    return {200: {"description": description, "content": {"text/event-stream": {"itemSchema": item}}}}


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    **documented_events(
        "status",
        "TaskResponse",
        "An event `status` at once and at changes, until the task has ended; its data is the task. Changes in quick "
        "succession may come as one event; `timeline` has every status.",
        id={"type": "string"},
    ),
    204: {"description": "The final event has been seen: `Last-Event-ID` names it. A browser then stops asking."},
}


async def _as_events(states: AsyncIterator[Task | None]) -> AsyncIterator[bytes]:
    async for state in states:
        yield _event(state) if state else PING


def _event(task: Task) -> bytes:
    data = TaskResponse.of(task).model_dump_json().encode()
    return b"event: status\ndata: %s\nid: %s\n\n" % (data, (final_id(task) or f"{crc32(data):08x}").encode())


def final_id(task: Task) -> str | None:
    """The id of the event that ends the stream of `task`; None while it has not ended.

    By the status alone: what is told of an ended task may still grow.
    """
    return task.status if task.is_ended else None
