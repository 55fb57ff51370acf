"""`GET /task/{id}/status`, the most frequent request of all."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.api.in_process import InProcess
from tests.api.requests import started


async def test_the_status_holds_exactly_two_keys(client: httpx.AsyncClient) -> None:
    """As documented."""
    task_id = await started(client)
    answer = await client.get(f"/api/v1/task/{task_id}/status")
    assert answer.status_code == 200
    assert answer.json() == {"aige_task_id": task_id, "status": "processing_avatar_model"}


@pytest.mark.parametrize("away", [False, True])
async def test_a_miss_asks_once(client: httpx.AsyncClient, backend: InProcess, away: bool) -> None:
    """Where the actor hangs, each question takes its six seconds. The answer is the route's own."""
    backend.away = away
    task_id = str(uuid4())
    answer = await client.get(f"/api/v1/task/{task_id}/status")
    assert backend.asked_for == [task_id]
    whole = await client.get(f"/api/v1/task/{task_id}")
    assert answer.status_code == (503 if away else 404)
    assert (answer.json(), answer.headers) == (whole.json(), whole.headers)


async def test_another_callers_task_is_not_there(client_of: Callable[[str], httpx.AsyncClient]) -> None:
    """Its own caller sees it, with any key of that name; the 404 is the one of a task that does not exist."""
    task_id = await started(client_of("two"))
    for key in ("two", "three"):
        assert (await client_of(key).get(f"/api/v1/task/{task_id}/status")).status_code == 200
    answer = await client_of("one").get(f"/api/v1/task/{task_id}/status")
    nobody = await client_of("one").get("/api/v1/task/nobody/status")
    assert (answer.status_code, answer.json()) == (404, nobody.json())
