"""What goes over the line of an event stream."""

from collections.abc import AsyncIterator

import httpx

from deployments.api.answers import TaskResponse
from deployments.api.event_stream import EventStream, final_id
from deployments.errors import ErrorCode
from deployments.tasks.record import Failure, Task, now
from tests.tasks.in_process import task_and_work


async def line(*states: Task | None) -> str:
    """What a client reads of their stream."""

    async def watched() -> AsyncIterator[Task | None]:
        for state in states:
            yield state

    async with httpx.AsyncClient(transport=httpx.ASGITransport(EventStream(watched())), base_url="http://x") as client:
        return (await client.get("/")).text


def parts_of(event: str) -> tuple[str, str, str]:
    """Its name, its data and its id."""
    name, data, number = event.split("\n")
    return name.removeprefix("event: "), data.removeprefix("data: "), number.removeprefix("id: ")


async def test_states_are_events_and_silence_is_a_comment() -> None:
    """By which a client and everything on the way see that the line is not dead."""
    task = task_and_work()[0]
    first, ping, second, end = (await line(task, None, task.attempted())).split("\n\n")
    assert (ping, end) == (": ping", "")
    for event, state in ((first, task), (second, task.attempted())):
        assert parts_of(event)[:2] == ("status", TaskResponse.of(state).model_dump_json())


async def test_each_state_has_an_id_of_its_own() -> None:
    """The same at each telling; the final one's is the status, so that a client that comes back can name it."""
    task = task_and_work()[0].attempted()
    failed = task.failed(Failure(ErrorCode.CANCELLED, "x"), now())
    states = [task, task.reporting(1, "10 %"), task.reporting(1, "20 %"), failed]
    told = [(await line(*states)).split("\n\n")[:-1] for _ in range(2)]
    ids = [parts_of(event)[2] for event in told[0]]
    assert len(set(ids)) == len(states)
    assert told[0] == told[1]
    assert ids[-1] == final_id(failed) == "error"
    assert final_id(task) is None


async def test_no_text_of_a_task_can_forge_an_event() -> None:
    """Line ends within it are escaped."""
    task = task_and_work()[0].attempted().reporting(1, "1\r\n\nevent: status\r\ndata: {}\r\n\r\n\u2028")
    event, end = (await line(task)).split("\n\n")
    assert end == ""
    name, data, _ = parts_of(event)
    assert name == "status"
    assert TaskResponse.model_validate_json(data) == TaskResponse.of(task)
