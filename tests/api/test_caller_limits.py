"""A caller's own limits: what is beyond is refused with 429, at once, before its body is read."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

import httpx
import pytest

from deployments.settings import Settings
from tests.api.in_process import InProcess
from tests.api.problems import ORIGIN, assert_is_problem
from tests.api.requests import ROUTES, send, started
from tests.tasks.in_process import turns

QUOTA, BUDGET = "quota-exceeded", "budget-exceeded"
Clients = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """With the `callers` that a test is parametrized with."""
    return Settings.model_validate({"prices": {"model": 0.1}, **request.param})


def limits(**limits: object) -> pytest.MarkDecorator:
    """One caller, which has these limits."""
    return pytest.mark.parametrize("settings", [{"callers": {"default": limits}}], indirect=True)


def callers(**by_name: Mapping[str, object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("settings", [{"callers": by_name}], indirect=True)


async def unreadable() -> AsyncIterator[bytes]:
    yield b""
    raise AssertionError("the body was read")


def assert_is_refused(answer: httpx.Response, kind: str = QUOTA) -> None:
    assert_is_problem(answer, 429)
    assert answer.json()["type"].endswith(kind)
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert int(answer.headers["retry-after"]) > 0


def rate_of(answer: httpx.Response) -> tuple[str, int, int]:
    """The policy, how many are left, and for how many seconds."""
    found = re.fullmatch(r'"tasks";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert found
    return answer.headers["ratelimit-policy"], int(found[1]), int(found[2])


async def all_ended(client: httpx.AsyncClient, *task_ids: str) -> None:
    for task_id in task_ids:
        await client.get(f"/api/v1/task/{task_id}/events")


@limits(tasks_in_flight=2)
@pytest.mark.parametrize("route", ROUTES)
async def test_tasks_in_flight(client: httpx.AsyncClient, backend: InProcess, route: str) -> None:
    """Of all three routes together. What has ended makes room; nothing of a refused request is accepted."""
    backend.release.clear()
    first, second = await started(client), await started(client, "overlay")
    method, path, _ = ROUTES[route]
    assert_is_refused(await client.request(method, path, content=unreadable()))
    await turns()
    assert len(backend.works) == 2
    assert "ratelimit" not in (await send(client, route)).headers
    backend.release.set()
    await all_ended(client, first, second)
    assert (await send(client, route)).is_success


@limits(tasks_in_flight=1, tasks_per_minute=9)
async def test_a_429_about_tasks_in_flight_tells_the_rate_too(client: httpx.AsyncClient, backend: InProcess) -> None:
    """The fields stand on each 429 of a caller with `tasks_per_minute`, whichever limit is reached; also at the last
    moment, where another request has come in between.
    """
    backend.release.clear()
    answers = await asyncio.gather(*[send(client, "background") for _ in range(2)])
    answers.append(await send(client, "background"))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    for answer in refused:
        assert_is_refused(answer)
        assert rate_of(answer)[:2] == ('"tasks";q=9;w=60', 8)
        assert answer.headers["retry-after"] == "5"


@limits(tasks_per_minute=2)
async def test_tasks_per_minute(client: httpx.AsyncClient, backend: InProcess) -> None:
    """A rolling minute: when the oldest leaves it, another may come. The fields say so on 2xx and on 429."""
    answers = [await send(client, "avatar"), await send(client, "background")]
    assert [rate_of(answer)[:2] for answer in answers] == [('"tasks";q=2;w=60', 1), ('"tasks";q=2;w=60', 0)]
    assert all(59 <= rate_of(answer)[2] <= 60 for answer in answers)
    backend.later = timedelta(seconds=30)
    refused = await client.post(ROUTES["avatar"][1], content=unreadable())
    assert_is_refused(refused)
    policy, left, seconds = rate_of(refused)
    assert (policy, left) == ('"tasks";q=2;w=60', 0)
    assert 29 <= seconds <= 30
    assert int(refused.headers["retry-after"]) == seconds
    backend.later = timedelta(seconds=61)
    assert rate_of(await send(client, "avatar"))[1] == 1


@limits(tasks_per_minute=3)
async def test_only_accepted_tasks_count_towards_the_minute(client: httpx.AsyncClient) -> None:
    """What is refused as wrong does not, and says nothing of the rate."""
    wrong = await send(client, "avatar", prompt="")
    assert wrong.status_code == 400
    assert not {"ratelimit", "ratelimit-policy"} & set(wrong.headers)
    for left in (2, 1, 0):
        assert rate_of(await send(client, "avatar"))[1] == left
    for _ in range(3):
        assert_is_refused(await send(client, "avatar"))


@limits(tasks_per_minute=5)
async def test_requests_at_the_same_moment_share_the_limit(client: httpx.AsyncClient, backend: InProcess) -> None:
    """All have been let in before the first is accepted; who is too many is refused then."""
    answers = await asyncio.gather(*[send(client, "background") for _ in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 15
    for answer in answers:
        if answer.status_code == 429:
            assert_is_refused(answer)
            assert rate_of(answer)[1] == 0


@limits(tasks_in_flight=100, tasks_per_minute=10, spend_per_day=0.1)
async def test_a_budget_that_is_used_up(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Where nothing is left: 429, until the oldest spending leaves the 24 hours."""
    backend.model = "model"
    await all_ended(client, await started(client))
    backend.later = timedelta(hours=1)
    refused = await client.post(ROUTES["avatar"][1], content=unreadable())
    assert_is_refused(refused, BUDGET)
    assert 23 * 3600 - 5 <= int(refused.headers["retry-after"]) <= 23 * 3600
    assert rate_of(refused)[1] == 10  # this limit is not the one
    backend.later = timedelta(hours=24, seconds=1)
    assert (await send(client, "avatar")).status_code == 201


@limits(spend_per_day=0.15)
async def test_a_budget_with_too_little_left(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Where something is left and the call costs more, the task is accepted, and ends as `budget_exceeded`."""
    backend.model = "model"
    await all_ended(client, await started(client))
    task_id = await started(client)
    await all_ended(client, task_id)
    task = (await client.get(f"/api/v1/task/{task_id}")).json()
    assert (task["status"], task["error"]["code"], task["cost"]) == ("error", "budget_exceeded", [])
    assert "budget" in task["error"]["message"]


@pytest.mark.parametrize("settings", [{"callers": {"default": {}}}], indirect=True)
async def test_what_a_task_cost(client: httpx.AsyncClient, backend: InProcess) -> None:
    """`amount` beside the units, by the price that is set for the model; null for a model without one."""
    for model, amount in (("model", 0.1), ("another", None)):
        backend.model = model
        task_id = await started(client)
        await all_ended(client, task_id)
        (cost,) = (await client.get(f"/api/v1/task/{task_id}")).json()["cost"]
        assert cost == {"stage": "AvatarGenerator", "model": model, "units": 1.0, "amount": amount}


@pytest.mark.parametrize(
    "settings",
    [{"callers": {"*": {limit: 0}}} for limit in ("tasks_in_flight", "tasks_per_minute", "spend_per_day")],
    indirect=True,
)
async def test_a_limit_of_zero_shuts_a_name_out(
    client: httpx.AsyncClient, backend: InProcess, settings: Settings
) -> None:
    """From its first task on, and also from what would cost nothing."""
    is_budget = settings.callers["*"].spend_per_day is not None
    answer = await send(client, "avatar")
    assert_is_refused(answer, BUDGET if is_budget else QUOTA)
    assert answer.headers["retry-after"] == "86400"
    assert backend.works == []


@callers(mobile={"tasks_per_minute": 1}, **{"*": {"tasks_per_minute": 2}})
async def test_each_name_has_its_own_limits(client_of: Clients) -> None:
    """Under `*` each unnamed one has them for itself; two keys of one name share them."""
    assert (await send(client_of("one"), "avatar")).status_code == 201
    assert_is_refused(await send(client_of("one"), "avatar"))
    assert (await send(client_of("two"), "avatar")).status_code == 201
    assert (await send(client_of("three"), "avatar")).status_code == 201
    assert_is_refused(await send(client_of("two"), "avatar"))


@callers(mobile={"tasks_in_flight": 0})
async def test_nobody_is_asked_about_callers_without_limits(client_of: Clients, backend: InProcess) -> None:
    """A limit costs a question; nothing else does."""
    answer = await send(client_of("two"), "avatar")
    assert answer.status_code == 201
    assert "ratelimit" not in answer.headers
    assert backend.checked == []
    assert_is_refused(await send(client_of("one"), "avatar"))
    assert backend.checked == ["mobile"]


@callers(mobile={"tasks_in_flight": 0})
async def test_the_order_of_answers(client_of: Clients) -> None:
    """401, 429, then everything about the request: its size, its type, its fields and its signed URL."""
    asked = client_of("one")
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        assert (await send_raw(asked, b"{", headers)).status_code == 401
    for headers in ({"Content-Length": "99999999999"}, {"Content-Type": "text/plain"}, {"Idempotency-Key": "\t"}):
        assert_is_refused(await send_raw(asked, b"{", headers))
    assert (await send_raw(client_of("two"), b"{", {})).status_code == 400


async def send_raw(client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await client.post(ROUTES["avatar"][1], content=body, headers={"Content-Type": "application/json", **headers})


@callers(mobile={"tasks_in_flight": 0})
async def test_limits_are_for_submissions_alone(client_of: Clients, backend: InProcess) -> None:
    """Who may start no task can still read, sign and look around; nothing but a submission asks about the caller."""
    for path in ("/api/v1/service", "/api/v1/tasks", "/openapi.json", "/"):
        assert (await client_of("one").get(path)).status_code == 200
    for path in ("/api/v1/task/nobody", "/api/v1/task/nobody/status"):
        assert (await client_of("one").get(path)).status_code == 404
    assert (await client_of("one").post("/api/v1/storage/presign")).status_code == 200
    assert (await client_of("one").post("/api/v1/avatar/a/nothing")).status_code == 404
    assert backend.checked == []


async def keyed(client: httpx.AsyncClient, key: str, **changes: object) -> httpx.Response:
    method, path, example = ROUTES["background"]
    return await client.request(method, path, json={**example, **changes}, headers={"Idempotency-Key": key})


@limits(tasks_in_flight=1, tasks_per_minute=1, spend_per_day=0.1)
async def test_a_repetition_is_answered_at_any_limit(client: httpx.AsyncClient, backend: InProcess) -> None:
    """By its key alone, also in quotes; it counts nowhere. Another request with the key is the conflict that it is."""
    backend.model = "model"
    backend.release.clear()
    first = await keyed(client, "k")
    for again in (await keyed(client, "k"), await keyed(client, '"k"'), await keyed(client, "k", unknown=1)):
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotent-replayed"] == "true"
        assert rate_of(again)[:2] == ('"tasks";q=1;w=60', 0)
    assert (await keyed(client, "k", prompt="another")).status_code == 409
    await turns()
    assert_is_refused(await keyed(client, "another key"), BUDGET)
    backend.release.set()
    await all_ended(client, first.json()["aige_task_id"])
    backend.later = timedelta(hours=23)
    assert (await keyed(client, "k")).json() == first.json()
    backend.later = timedelta(hours=24, seconds=1)
    assert (await keyed(client, "yet another")).status_code == 200


@callers(mobile={"tasks_per_minute": 1}, web={"tasks_per_minute": 1})
async def test_a_key_of_another_caller_is_no_repetition(client_of: Clients) -> None:
    """It opens nothing."""
    assert (await keyed(client_of("two"), "k")).status_code == 200
    assert (await keyed(client_of("one"), "k2")).status_code == 200
    assert_is_refused(await keyed(client_of("one"), "k"))


@limits(tasks_in_flight=1)
async def test_an_actor_that_is_away_is_a_503(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Also where it is only asked about the caller."""
    backend.away = True
    answer = await client.post(ROUTES["avatar"][1], content=unreadable())
    assert_is_problem(answer, 503)
    assert answer.headers["retry-after"] == "2"


@limits(tasks_in_flight=0)
async def test_a_page_may_read_why(client: httpx.AsyncClient) -> None:
    """The refusal has the CORS headers of all answers, which expose the fields about limits."""
    answer = await client.post(ROUTES["avatar"][1], json={}, headers={"Origin": ORIGIN})
    assert_is_refused(answer)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed", "Link"} <= exposed
