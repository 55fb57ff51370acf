"""What goes over the line of an event stream."""

from collections.abc import AsyncIterator

import httpx

from deployments.api.event_stream import EventStream
from deployments.api.models import TaskResponse
from deployments.tasks.record import Task
from tests.tasks.in_process import task_and_work


async def line(*states: Task | None) -> str:
    """What a client reads of their stream."""

    async def watched() -> AsyncIterator[Task | None]:
        for state in states:
            yield state

    async with httpx.AsyncClient(transport=httpx.ASGITransport(EventStream(watched())), base_url="http://x") as client:
        return (await client.get("/")).text


async def test_states_are_events_and_silence_is_a_comment() -> None:
    """By which a client and everything on the way see that the line is not dead."""
    task = task_and_work()[0]
    told = [f"event: status\ndata: {TaskResponse.of(one).model_dump_json()}\n\n" for one in (task, task.attempted())]
    assert await line(task, None, task.attempted()) == f"{told[0]}: ping\n\n{told[1]}"


async def test_no_text_of_a_task_can_forge_an_event() -> None:
    """Line ends within it are escaped."""
    task = task_and_work()[0].attempted().reporting(1, "1\r\n\nevent: status\r\ndata: {}\r\n\r\n\u2028")
    event, data, *rest = (await line(task)).split("\n")
    assert (event, rest) == ("event: status", ["", ""])
    assert TaskResponse.model_validate_json(data.removeprefix("data: ")) == TaskResponse.of(task)
