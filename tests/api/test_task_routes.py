"""Asking about a task."""

import json
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from deployments.errors import ErrorCode
from deployments.tasks.record import Failure
from tests.api.in_process import InProcess
from tests.api.requests import URLS, started


async def events(client: httpx.AsyncClient, task_id: str) -> list[dict[str, object]]:
    """The bodies of all `status` events, to the end of the stream."""
    answer = await client.get(f"/api/v1/task/{task_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    blocks = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    assert all(lines[0] == "event: status" for lines in blocks)
    return [json.loads(lines[1].removeprefix("data: ")) for lines in blocks]


async def test_a_task_id_is_an_unguessable_uuid4(client: httpx.AsyncClient) -> None:
    """And no two are the same."""
    first, second = await started(client), await started(client)
    assert UUID(first).version == 4
    assert first != second


async def test_an_id_is_read_in_either_case(client: httpx.AsyncClient, backend: InProcess) -> None:
    """On every route; the answer has it as it was given out."""
    backend.release.clear()
    task_id = await started(client)
    path = f"/api/v1/task/{task_id.upper()}"
    assert path != f"/api/v1/task/{task_id}"
    for answer in (await client.get(path), await client.get(f"{path}/status"), await client.delete(path)):
        assert answer.json()["aige_task_id"] == task_id
    assert [event["aige_task_id"] for event in await events(client, task_id.upper())] == [task_id]


@pytest.mark.parametrize("end", [None, Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo.")])
async def test_a_client_that_has_seen_the_end_is_told_to_stop(
    client: httpx.AsyncClient, backend: InProcess, end: Failure | None
) -> None:
    """204 stops a browser's `EventSource`, which else asks again for ever; with any other id, the end is told again."""
    backend.outcome = lambda work: end or work
    task_id = await started(client)
    path = f"/api/v1/task/{task_id}/events"
    last = (await client.get(path)).text.strip().rpartition("\nid: ")[2]
    again = await client.get(path, headers={"Last-Event-ID": last})
    assert (again.status_code, again.content) == (204, b"")
    assert "content-type" not in again.headers
    for other in ("5", "", "0badc0de", {"done": "error", "error": "done"}[last]):
        told = await client.get(path, headers={"Last-Event-ID": other})
        assert told.status_code == 200
        assert told.text.endswith(f"\nid: {last}\n\n")


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("avatar", ["pending", "processing_avatar_model", "processing_background_removal", "uploading_image", "done"]),
        ("background", ["pending", "processing_avatar_model", "uploading_image", "done"]),
        ("overlay", ["pending", "processing_background_removal", "processing_overlay", "uploading_image", "done"]),
    ],
)
async def test_the_event_stream_ends_with_the_task(client: httpx.AsyncClient, route: str, shown: list[str]) -> None:
    """Its last event is the whole task, done, with every status in the timeline once."""
    task_id = await started(client, route)
    last = (await events(client, task_id))[-1]
    assert last == (await client.get(f"/api/v1/task/{task_id}")).json()
    timeline = last.pop("timeline")
    assert isinstance(timeline, list)
    assert [moment["status"] for moment in timeline] == shown
    assert last == {
        "aige_task_id": task_id,
        "avatar_id": "a 1",
        "operation": route,
        "status": "done",
        "readUrl": URLS["readUrl"],
        "error": None,
        "attempts": 1,
        "engine": "local",
        "made_by": [],
        "notes": [],
        "progress": None,
        "cost": [],
        "webhook": None,
    }


async def test_a_failed_task_says_why(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Its code, its message, and no read URL."""
    backend.outcome = lambda _: Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo.")
    task_id = await started(client)
    last = (await events(client, task_id))[-1]
    assert (last["status"], last["readUrl"]) == ("error", None)
    assert last["error"] == {"code": "no_person_found", "message": "Send another photo."}


UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("task_id", ["x", UNKNOWN, "%00", f"%00{UNKNOWN[1:]}", f"{UNKNOWN}%0A", "é", "a" * 5000])
@pytest.mark.parametrize("suffix", ["", "/status", "/events"])
async def test_an_unknown_or_malformed_id_is_a_404(
    client: httpx.AsyncClient, backend: InProcess, task_id: str, suffix: str
) -> None:
    """A problem document, for the event stream too. Of a malformed one nobody is asked, so nobody need be there."""
    backend.away = task_id != UNKNOWN
    answer = await client.get(f"/api/v1/task/{task_id}{suffix}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_cancelling_is_a_202_with_the_whole_task(client: httpx.AsyncClient, backend: InProcess) -> None:
    """It ends as `cancelled`; a second time, it has already ended."""
    backend.release.clear()
    task_id = await started(client)
    answer = await client.delete(f"/api/v1/task/{task_id}")
    assert answer.status_code == 202
    assert answer.json()["aige_task_id"] == task_id
    last = (await events(client, task_id))[-1]
    assert isinstance(last["error"], dict)
    assert last["error"]["code"] == "cancelled"
    answer = await client.delete(f"/api/v1/task/{task_id}")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.delete("/api/v1/task/nobody")).status_code == 404


async def test_no_route_shows_another_callers_task(
    client_of: Callable[[str], httpx.AsyncClient], backend: InProcess
) -> None:
    """Each answers as if there were none, and does nothing to it: its own caller finds it as it was."""
    backend.release.clear()
    task_id = await started(client_of("two"))
    routes = (await client_of("one").get("/openapi.json")).json()["paths"]
    of_tasks = {path: methods for path, methods in routes.items() if "{aige_task_id}" in path}
    assert {"/api/v1/task/{aige_task_id}", "/api/v1/task/{aige_task_id}/events"} <= of_tasks.keys()
    for path, methods in of_tasks.items():
        for method in methods:
            there, nowhere = (path.replace("{aige_task_id}", some) for some in (task_id, "nobody"))
            answer = await client_of("one").request(method, there)
            assert (answer.status_code, answer.json()) == (
                404,
                (await client_of("one").request(method, nowhere)).json(),
            )
    assert (await client_of("three").get(f"/api/v1/task/{task_id}")).json()["error"] is None
    assert (await client_of("three").delete(f"/api/v1/task/{task_id}")).status_code == 202
