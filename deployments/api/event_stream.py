"""A task's event stream, in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html.

FastAPI's own streams hold three tasks and two queues each, through which every event goes: with thousands open, they
cost most of what the service does.
"""

from collections.abc import AsyncIterator
from typing import Any

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


DOCUMENTED: dict[str, Any] = {
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
                },
                "required": ["event", "data"],
            }
        }
    },
}
"""For OpenAPI 3.2, section 4.14.4."""


async def _as_events(states: AsyncIterator[Task | None]) -> AsyncIterator[bytes]:
    async for state in states:
        yield b"event: status\ndata: %s\n\n" % TaskResponse.of(state).model_dump_json().encode() if state else PING
