"""`GET /task/{id}/status`, the most frequent request of all."""

import httpx

from tests.api.requests import started


async def test_the_status_holds_exactly_two_keys(client: httpx.AsyncClient) -> None:
    """As documented."""
    task_id = await started(client)
    answer = await client.get(f"/api/v1/task/{task_id}/status")
    assert answer.status_code == 200
    assert answer.json() == {"aige_task_id": task_id, "status": "pending"}
