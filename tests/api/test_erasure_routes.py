"""`DELETE /avatar/{avatar_id}`: what is erased, and what its report says."""

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from deployments.tasks.messages import ClaimSubmit, RecordReceipt
from deployments.tasks.operations import StepId
from tests.api.in_process import InProcess
from tests.api.problems import assert_is_problem
from tests.api.requests import AVATAR, BACKGROUND, params, send, started

AVATAR_PATH = "/api/v1/avatar/a%201"


async def ended(client: httpx.AsyncClient, route: str = "background", **changes: object) -> str:
    task_id: str = (await send(client, route, **changes)).json()["aige_task_id"]
    await client.get(f"/api/v1/task/{task_id}/events")
    return task_id


async def test_afterwards_each_of_its_tasks_is_a_404(client: httpx.AsyncClient) -> None:
    """On every route; other avatars' tasks are untouched, and it can be asked for once."""
    tasks = [await ended(client) for _ in range(2)]
    other = await ended(client, "avatar", avatar_id="other")
    answer = await client.delete(AVATAR_PATH)
    assert answer.status_code == 200
    assert answer.json() == {"avatar_id": "a 1", "tasks": 2, "objects": 0, "provider": []}
    for task_id in tasks:
        for path in (f"/api/v1/task/{task_id}", f"/api/v1/task/{task_id}/status", f"/api/v1/task/{task_id}/events"):
            assert_is_problem(await client.get(path), 404)
        assert_is_problem(await client.delete(f"/api/v1/task/{task_id}"), 404)
        assert_is_problem(await client.post(f"/api/v1/task/{task_id}/webhook"), 404)
    listed = (await client.get("/api/v1/tasks")).json()["tasks"]
    assert [task["aige_task_id"] for task in listed] == [other]
    assert_is_problem(await client.delete(AVATAR_PATH), 404)


@pytest.mark.parametrize("avatar_id", ["nobody", "é/🙂", "..%2F", "a" * 200])
async def test_where_nothing_is_known_it_is_a_404(client: httpx.AsyncClient, avatar_id: str) -> None:
    """Whatever it looks like."""
    assert_is_problem(await client.delete(f"/api/v1/avatar/{quote(avatar_id, safe='')}"), 404)


async def test_an_id_is_read_from_the_path_as_it_was_sent(client: httpx.AsyncClient) -> None:
    """Percent-decoded."""
    name = "é 🙂?&%"
    path = f"/api/v1/avatar/{quote(name, safe='')}"
    assert (await client.put(f"{path}/background", json={**BACKGROUND, "avatar_id": name})).is_success
    answer = await client.delete(path)
    assert (answer.status_code, answer.json()["avatar_id"]) == (200, name)


async def test_everybody_erases_their_own(client_of: Callable[[str], httpx.AsyncClient]) -> None:
    """An avatar of the same name that belongs to another key's name is another one."""
    theirs = await ended(client_of("one"))
    await ended(client_of("two"))
    assert (await client_of("three").delete(AVATAR_PATH)).json()["tasks"] == 1
    assert (await client_of("one").get(f"/api/v1/task/{theirs}")).is_success
    assert_is_problem(await client_of("two").delete(AVATAR_PATH), 404)


async def test_event_streams_of_erased_tasks_end(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Of those that run."""
    backend.release.clear()
    task_id = await started(client, "background")
    watching = asyncio.create_task(client.get(f"/api/v1/task/{task_id}/events"))
    await asyncio.sleep(0.01)
    assert (await client.delete(AVATAR_PATH)).json()["tasks"] == 1
    async with asyncio.timeout(10):
        assert (await watching).status_code == 200


async def test_an_idempotency_key_of_an_erased_task_is_free_again(client: httpx.AsyncClient) -> None:
    """The same request starts a new task."""

    async def put() -> httpx.Response:
        return await client.put(f"{AVATAR_PATH}/background", json=BACKGROUND, headers={"Idempotency-Key": "k"})

    first = (await put()).json()["aige_task_id"]
    await client.get(f"/api/v1/task/{first}/events")
    await client.delete(AVATAR_PATH)
    again = await put()
    assert again.json()["aige_task_id"] != first
    assert "Idempotent-Replayed" not in again.headers


async def presigned(client: httpx.AsyncClient) -> dict[str, str]:
    signed: dict[str, str] = (await client.post("/api/v1/storage/presign")).json()
    return signed


async def test_results_and_photos_in_our_own_store_go(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Also photos that were uploaded for it, and pictures of an overlay; not what lies in somebody else's store."""
    photo, result, person, scene = [await presigned(client) for _ in range(4)]
    await ended(
        client,
        "avatar",
        source_images=[photo["readUrl"], *AVATAR["source_images"], "https://pictures.example/p.png"],
        writeUrl=result["writeUrl"],
        readUrl=result["readUrl"],
    )
    pictures = params(person=person["readUrl"], background=scene["readUrl"])
    await ended(client, "overlay", params=pictures, avatar_id="a 1")
    assert (await client.delete(AVATAR_PATH)).json()["objects"] == 4
    (what,) = backend.erased
    assert sorted(what.objects) == sorted(one["key"] for one in (photo, result, person, scene))


async def test_a_url_that_only_looks_like_our_stores_names_no_object(
    client: httpx.AsyncClient, backend: InProcess
) -> None:
    """Its signature tells."""
    url = (await presigned(client))["readUrl"].replace("aige.test", "pictures.example")
    await ended(client, "avatar", source_images=[url.replace("signature=", "signature=0")])
    await client.delete(AVATAR_PATH)
    assert backend.erased[0].objects == ()


async def test_the_tasks_named_as_sources_go_too(client: httpx.AsyncClient) -> None:
    """The avatar and the background that an overlay was made of, though their avatar ids are others."""
    for name in ("person", "background"):
        url = f"https://store.example/{name}.png?signature=1"
        body = {**BACKGROUND, "avatar_id": name, "writeUrl": url, "readUrl": url}
        assert (await client.put(f"/api/v1/avatar/{name}/background", json=body)).is_success
    pictures = {name: f"https://store.example/{name}.png?signature=2" for name in ("person", "background")}
    await ended(client, "overlay", params=params(**pictures))
    assert (await client.delete(AVATAR_PATH)).json()["tasks"] == 3
    assert (await client.get("/api/v1/tasks")).json()["tasks"] == []


async def test_results_that_differ_in_the_query_alone_are_not_one(
    client: httpx.AsyncClient, backend: InProcess
) -> None:
    """Another avatar's tasks stay, and run on; what the erased one was made of goes."""

    def at(number: int) -> str:
        return f"https://store.example/get?id={number}"

    async def put(avatar_id: str, number: int) -> str:
        body = {**BACKGROUND, "avatar_id": avatar_id, "writeUrl": at(number), "readUrl": at(number)}
        answer = await client.put(f"/api/v1/avatar/{avatar_id}/background", json=body)
        return str(answer.json()["aige_task_id"])

    scene, theirs = await put("b", 1), await put("b", 2)
    for task_id in (scene, theirs):
        await client.get(f"/api/v1/task/{task_id}/events")
    backend.release.clear()
    running = await put("b", 3)
    await send(client, "overlay", params=params(person=at(9), background=at(1)), readUrl=at(4))
    assert (await client.delete(AVATAR_PATH)).json()["tasks"] == 2
    assert_is_problem(await client.get(f"/api/v1/task/{scene}"), 404)
    assert (await client.get(f"/api/v1/task/{theirs}")).is_success
    assert (await client.get(f"/api/v1/task/{running}")).json()["error"] is None


async def test_the_report_names_each_request_to_a_provider(client: httpx.AsyncClient, backend: InProcess) -> None:
    """By engine and receipt, and whether it was deleted: a provider without a way to do so is told too."""
    backend.release.clear()
    backend.deletes = lambda request: request.engine == "fal"
    task_id = await started(client, "background")
    a = backend.orchestrator
    for step, engine in ((StepId.GENERATE_BACKGROUND, "openai"), (StepId.UPLOAD, "fal")):
        await ClaimSubmit(task_id, 1, step, engine, "token").handle(a)
        await RecordReceipt(task_id, step, engine, "token", f"{engine}:x/requests/1").handle(a)
    report = (await client.delete(AVATAR_PATH)).json()
    assert report["provider"] == [
        {"engine": "openai", "request": "openai:x/requests/1", "deleted": False},
        {"engine": "fal", "request": "fal:x/requests/1", "deleted": True},
    ]


async def test_while_the_actor_is_away_it_is_a_503(client: httpx.AsyncClient, backend: InProcess) -> None:
    """With the time after which to ask again."""
    backend.away = True
    answer = await client.delete(AVATAR_PATH)
    assert_is_problem(answer, 503)
    assert "retry-after" in answer.headers


async def test_other_methods_are_told_what_the_path_takes(client: httpx.AsyncClient) -> None:
    """405, with `Allow`."""
    answer = await client.get(AVATAR_PATH)
    assert_is_problem(answer, 405)
    assert answer.headers["allow"] == "DELETE"
