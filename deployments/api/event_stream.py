"""A task's event stream, in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html.

FastAPI's own streams hold three tasks and two queues each, through which every event goes: with thousands open, they
cost most of what the service does.
"""

from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

from starlette.responses import StreamingResponse

from deployments.api.models import TaskResponse
from deployments.tasks.record import Task

PING = b": ping\n\n"


class EventStream(StreamingResponse):
    """Tells each state of a task as an event `status`; None as a comment, so that nobody takes the line for dead."""

    media_type = "text/event-stream"

    def __init__(self, states: AsyncIterator[Task | None]) -> None:
        # No cache may keep it, and no proxy (nginx, say) hold it back.
        super().__init__(_as_events(states), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An event `status` at once and at each change, until the task has ended; its data is the task.",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "properties": {
                        "event": {"type": "string", "const": "status"},
                        "data": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {"$ref": "#/components/schemas/TaskResponse"},
                        },
                        "id": {"type": "string"},
                    },
                    "required": ["event", "data", "id"],
                }
            }
        },
    },
    204: {"description": "The final event has been seen: `Last-Event-ID` names it. A browser then stops asking."},
}
"""For OpenAPI 3.2, section 4.14.4."""


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
