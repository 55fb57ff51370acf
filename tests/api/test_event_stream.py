"""What goes over the line of an event stream."""

from collections.abc import AsyncIterator

import httpx

from deployments.api.event_stream import EventStream
from deployments.api.models import TaskResponse
from deployments.tasks.record import Task
from tests.tasks.test_supervisor import task_and_work


async def test_states_are_events_and_silence_is_a_comment() -> None:
    """By which a client and everything on the way see that the line is not dead."""
    task = task_and_work()[0]

    async def states() -> AsyncIterator[Task | None]:
        yield task
        yield None
        yield task.attempted()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(EventStream(states())), base_url="http://x") as client:
        answer = await client.get("/")
    told = [f"event: status\ndata: {TaskResponse.of(one).model_dump_json()}\n\n" for one in (task, task.attempted())]
    assert answer.text == f"{told[0]}: ping\n\n{told[1]}"


async def test_no_text_of_a_task_can_forge_an_event() -> None:
    """Line ends within it are escaped."""
    task = task_and_work()[0].attempted().reporting(1, "1\r\n\nevent: status\r\ndata: {}\r\n\r\n\u2028")

    async def states() -> AsyncIterator[Task]:
        yield task

    async with httpx.AsyncClient(transport=httpx.ASGITransport(EventStream(states())), base_url="http://x") as client:
        answer = await client.get("/")
    event, data, *rest = answer.text.split("\n")
    assert (event, rest) == ("event: status", ["", ""])
    assert TaskResponse.model_validate_json(data.removeprefix("data: ")) == TaskResponse.of(task)
