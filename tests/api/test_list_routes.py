"""`GET /tasks`: whose tasks, which, in what order, page by page."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.settings import Settings
from tests.api.in_process import BASE, InProcess
from tests.api.problems import assert_is_problem
from tests.api.requests import BACKGROUND, send, started

TASKS = "/api/v1/tasks"


async def ids(client: httpx.AsyncClient, **query: object) -> list[str]:
    answer = await client.get(TASKS, params=query)  # type: ignore[arg-type]  # texts, numbers and lists of texts
    assert answer.status_code == 200, answer.text
    return [task["aige_task_id"] for task in answer.json()["tasks"]]


async def some(client: httpx.AsyncClient, count: int) -> list[str]:
    """Tasks as they were submitted, the newest first."""
    return [await started(client, "background") for _ in range(count)][::-1]


async def test_the_newest_comes_first_as_get_task_shows_it(client: httpx.AsyncClient) -> None:
    """Twenty of them, where no limit is sent."""
    assert (await client.get(TASKS)).json() == {"tasks": [], "next": None}
    tasks = await some(client, 21)
    answer = (await client.get(TASKS)).json()
    assert [task["aige_task_id"] for task in answer["tasks"]] == tasks[:20]
    assert answer["tasks"][3] == (await client.get(f"/api/v1/task/{tasks[3]}")).json()
    assert answer["next"] is not None


async def test_filters_may_be_repeated_and_combined(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Any of each, all of them together."""
    avatar, background, overlay = [await started(client, route) for route in ("avatar", "background", "overlay")]
    for task_id in (avatar, background, overlay):
        await client.get(f"/api/v1/task/{task_id}/events")  # to its end
    backend.release.clear()
    running = (await client.post("/api/v1/avatar", json=_avatar_of("b"))).json()["aige_task_id"]
    assert await ids(client, operation="avatar") == [running, avatar]
    assert await ids(client, operation=["overlay", "background"]) == [overlay, background]
    assert await ids(client, status="done") == [overlay, background, avatar]
    assert await ids(client, status=["done", "error"], operation="overlay") == [overlay]
    assert await ids(client, avatar_id="b") == [running]
    assert await ids(client, avatar_id=["b", "a 1"], operation="avatar") == [running, avatar]
    assert await ids(client, avatar_id="nobody") == []


def _avatar_of(avatar_id: str) -> dict[str, object]:
    return {**BACKGROUND, "avatar_id": avatar_id, "source_images": ["https://pictures.example/p.png"]}


async def test_a_cursor_leads_through_all_pages(client: httpx.AsyncClient) -> None:
    """`Link` says the same; a task that comes meanwhile shifts nothing; the last page has neither."""
    tasks = await some(client, 5)
    first = await client.get(TASKS, params={"limit": 2})
    await started(client, "background")
    link = first.headers["link"]
    assert link.startswith("</api/v1/tasks?")
    assert link.endswith('>; rel="next"')
    second = await client.get(urljoin(BASE, link[1 : link.index(">")]))
    assert second.json() == (await client.get(TASKS, params={"limit": 2, "cursor": first.json()["next"]})).json()
    last = await client.get(TASKS, params={"limit": 2, "cursor": second.json()["next"]})
    pages = [page.json()["tasks"] for page in (first, second, last)]
    assert [[task["aige_task_id"] for task in page] for page in pages] == [tasks[:2], tasks[2:4], tasks[4:]]
    assert last.json()["next"] is None
    assert "link" not in last.headers


async def test_the_limit_may_change_on_the_way(client: httpx.AsyncClient) -> None:
    """It is no filter."""
    tasks = await some(client, 4)
    cursor = (await client.get(TASKS, params={"limit": 1})).json()["next"]
    assert await ids(client, limit=100, cursor=cursor) == tasks[1:]


async def test_link_keeps_the_filters(client: httpx.AsyncClient) -> None:
    """Each value of them, whatever it holds."""
    for _ in range(2):
        await send(client, "background")
    wanted = {"avatar_id": ["a 1", "ü&b=c"], "status": ["done", "pending", "processing_avatar_model"], "limit": "1"}
    answer = await client.get(TASKS, params=wanted)
    query = parse_qs(urlsplit(answer.headers["link"].partition(">")[0]).query)
    assert query == {**wanted, "limit": ["1"], "cursor": [answer.json()["next"]]}


@pytest.fixture
async def public(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose public address is known."""
    parts = replace(parts, settings=Settings(public_url="https://aige.example/at"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_api(parts)), base_url=BASE) as client:
        yield client


async def test_link_is_absolute_where_the_public_url_is_known(public: httpx.AsyncClient) -> None:
    """It begins with it."""
    await some(public, 2)
    link = (await public.get(TASKS, params={"limit": 1})).headers["link"]
    assert link.startswith("<https://aige.example/at/api/v1/tasks?")


@pytest.mark.parametrize(
    "query",
    [
        {"status": "finished"},
        {"status": ["done", ""]},
        {"operation": "video"},
        {"avatar_id": "a/b"},
        {"avatar_id": ""},
        {"avatar_id": ["a"] * 51},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"cursor": "bm9uc2Vuc2U"},
        {"cursor": "é"},
        {"cursor": "a"},
        {"cursor": "x" * 501},
    ],
)
async def test_a_value_that_is_unknown_is_a_400(client: httpx.AsyncClient, query: dict[str, str | list[str]]) -> None:
    """It names the parameter."""
    answer = await client.get(TASKS, params=query)
    assert_is_problem(answer, 400)
    (name,) = query
    assert answer.json()["errors"][0]["loc"][:2] == ["query", name]


async def test_a_cursor_goes_with_the_filters_that_it_came_from(client: httpx.AsyncClient) -> None:
    """In whatever order they are sent; with any other it is a 400."""
    tasks = await some(client, 2)
    operations = ["avatar", "background"]
    cursor = (await client.get(TASKS, params={"limit": 1, "operation": operations})).json()["next"]
    assert await ids(client, operation=operations[::-1], cursor=cursor) == tasks[1:]
    for other in ({}, {"operation": "background"}, {"operation": operations, "status": "done"}):
        answer = await client.get(TASKS, params={**other, "cursor": cursor})
        assert_is_problem(answer, 400)
        assert "filters" in answer.json()["detail"]


async def test_everybody_sees_their_own(client_of: Callable[[str], httpx.AsyncClient]) -> None:
    """By the name of the key; a cursor of somebody else's shows nothing of theirs."""
    theirs = [await started(client_of("one"), "background") for _ in range(2)][::-1]
    ours = [await started(client_of("two"), "background") for _ in range(2)][::-1]
    assert await ids(client_of("one")) == theirs
    assert await ids(client_of("three")) == ours
    cursor = (await client_of("one").get(TASKS, params={"limit": 1})).json()["next"]
    assert set(await ids(client_of("two"), cursor=cursor)) <= set(ours)


async def test_while_the_actor_is_away_it_is_a_503(client: httpx.AsyncClient, backend: InProcess) -> None:
    """With the time after which to ask again."""
    backend.away = True
    answer = await client.get(TASKS)
    assert_is_problem(answer, 503)
    assert "retry-after" in answer.headers
