"""HEAD, as download managers, link checkers and monitors send it before a GET."""

import asyncio

import httpx
import pytest

from tests.api.in_process import InProcess
from tests.api.requests import started


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/api/v1/service", "/api/v1/tasks", "/healthz", "/readyz"]
)
async def test_head_is_answered_as_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    """With the same status and headers."""
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.headers, head.content) == (200, got.headers, b"")
    assert int(head.headers["content-length"]) == len(got.content) > 0


async def test_head_of_a_task_and_of_an_object(client: httpx.AsyncClient) -> None:
    """On every route that takes GET; of an object, it tells the type and the length."""
    task = f"/api/v1/task/{await started(client)}"
    for path in (task, f"{task}/status"):
        assert (await client.head(path)).headers == (await client.get(path)).headers
    place = (await client.post("/api/v1/storage/presign")).json()
    await client.put(place["writeUrl"], content=b"\xff\xd8\xff and so on")
    head = await client.head(place["readUrl"])
    assert (head.status_code, head.headers["content-type"], head.headers["content-length"]) == (200, "image/jpeg", "13")
    assert (await client.head(place["writeUrl"])).status_code == 403


async def test_head_of_an_event_stream_ends_at_once(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Though the task goes on."""
    backend.release.clear()
    path = f"/api/v1/task/{await started(client)}/events"
    async with asyncio.timeout(10):
        head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


async def test_where_there_is_no_get_there_is_no_head(client: httpx.AsyncClient) -> None:
    """405 where only other methods are, 404 where nothing is, and no body either."""
    answer = await client.head("/api/v1/avatar")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")
    answer = await client.head("/api/v1/task/nobody/status")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
