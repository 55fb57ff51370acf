"""`webhookUrl`, and what a task tells of its webhook."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.errors import ErrorCode
from deployments.tasks.record import Failure
from tests.api.in_process import BASE, InProcess
from tests.api.problems import assert_is_problem
from tests.api.requests import BAD_URLS, ROUTES, refused_field, send, started

HOOK = "https://receiver.example/hook?secret=very-secret"


@pytest.fixture
async def sending(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a webhook secret."""
    api = build_api(replace(parts, sends_webhooks=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        yield client


async def submitted(client: httpx.AsyncClient, route: str = "background", url: str = HOOK) -> str:
    task_id: str = (await send(client, route, webhookUrl=url)).json()["aige_task_id"]
    return task_id


async def webhook_of(client: httpx.AsyncClient, task_id: str) -> object:
    return (await client.get(f"/api/v1/task/{task_id}")).json()["webhook"]


async def until_tried(client: httpx.AsyncClient, task_id: str, tries: int = 1) -> dict[str, object]:
    """The webhook, once so many tries have been made."""
    async with asyncio.timeout(10):
        while True:
            webhook = await webhook_of(client, task_id)
            assert isinstance(webhook, dict)
            if webhook["tries"] >= tries:
                return webhook
            await asyncio.sleep(0)


@pytest.mark.parametrize("route", ROUTES)
async def test_each_submission_may_name_one(sending: httpx.AsyncClient, backend: InProcess, route: str) -> None:
    """It is told once the task has ended."""
    task_id = await submitted(sending, route)
    assert (await until_tried(sending, task_id))["state"] == "delivered"
    (call,) = backend.webhooks
    assert (call.url, call.task.id, call.task.is_ended) == (HOOK, task_id, True)


@pytest.mark.parametrize("route", ROUTES)
async def test_without_a_secret_it_is_a_400(client: httpx.AsyncClient, route: str) -> None:
    """It says what the operator has to set; without a webhookUrl all is well, `null` included."""
    assert await refused_field(client, route, {"webhookUrl": HOOK}) == ["body", "webhookUrl"]
    assert "AIGE_WEBHOOK_SECRET" in (await send(client, route, webhookUrl=HOOK)).json()["detail"]
    assert (await send(client, route, webhookUrl=None)).is_success
    assert (await client.get("/api/v1/service")).json()["webhooks"] is False


async def test_the_service_says_whether_it_sends_them(sending: httpx.AsyncClient) -> None:
    """`GET /service`."""
    assert (await sending.get("/api/v1/service")).json()["webhooks"] is True


@pytest.mark.parametrize("url", [*BAD_URLS, 7, True, [], {}, "https://x.example/\0"])
async def test_a_wrong_url_is_a_400(sending: httpx.AsyncClient, url: object) -> None:
    """As written: no name is looked up."""
    assert await refused_field(sending, "background", {"webhookUrl": url}) == ["body", "webhookUrl"]


async def test_our_own_store_takes_no_webhooks(sending: httpx.AsyncClient) -> None:
    """Its URLs are this service's own address."""
    own = (await sending.post("/api/v1/storage/presign")).json()["writeUrl"].replace("aige.test", "127.0.0.1:8000")
    assert (await send(sending, "background", writeUrl=own)).is_success
    assert await refused_field(sending, "background", {"webhookUrl": own}) == ["body", "webhookUrl"]


async def test_a_read_url_that_no_webhook_can_hold_is_a_400(sending: httpx.AsyncClient) -> None:
    """In UTF-8 it may be four times as long as in characters."""
    long = "https://r.example/" + "🙂" * 5_000
    assert (await send(sending, "background", readUrl=long)).is_success
    assert await refused_field(sending, "background", {"webhookUrl": HOOK, "readUrl": long}) == ["body", "readUrl"]


async def test_a_task_without_one_has_null(sending: httpx.AsyncClient) -> None:
    """From the beginning on."""
    assert await webhook_of(sending, await started(sending)) is None


async def test_the_life_of_a_webhook(sending: httpx.AsyncClient, backend: InProcess) -> None:
    """A running task's has made no try; then each try is told. The URL, which may hold a secret, is not."""
    backend.release.clear()
    backend.receiver = lambda _: 503
    task_id = await submitted(sending)
    assert await webhook_of(sending, task_id) == {"state": "waiting", "tries": 0, "last": None}
    backend.release.set()
    webhook = await until_tried(sending, task_id)
    last = webhook.pop("last")
    assert webhook == {"state": "waiting", "tries": 1}
    assert isinstance(last, dict)
    assert datetime.fromisoformat(last["at"]).tzinfo is not None
    assert last["answer"] == 503
    for path in (f"/api/v1/task/{task_id}", f"/api/v1/task/{task_id}/events", "/api/v1/tasks"):
        assert "very-secret" not in (await sending.get(path)).text


async def test_an_event_stream_ends_with_the_task_and_not_with_its_webhook(
    sending: httpx.AsyncClient, backend: InProcess
) -> None:
    """The last event is the final status; the webhook may be tried for hours."""
    backend.receiver = lambda _: 500
    task_id = await submitted(sending)
    async with asyncio.timeout(10):
        stream = await sending.get(f"/api/v1/task/{task_id}/events")
    assert '"status":"done"' in stream.text.strip().rpartition("\n\n")[2]


@pytest.mark.parametrize(
    ("end", "status"), [(None, "done"), (Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo."), "error")]
)
async def test_it_tells_of_either_end(
    sending: httpx.AsyncClient, backend: InProcess, end: Failure | None, status: str
) -> None:
    """Once."""
    backend.outcome = lambda work: end or work
    await until_tried(sending, await submitted(sending))
    assert [call.task.status for call in backend.webhooks] == [status]


async def test_a_cancelled_task_tells_of_it(sending: httpx.AsyncClient, backend: InProcess) -> None:
    """It has ended, too."""
    backend.release.clear()
    task_id = await submitted(sending)
    await sending.delete(f"/api/v1/task/{task_id}")
    await until_tried(sending, task_id)
    (call,) = backend.webhooks
    assert call.task.failure is not None
    assert call.task.failure.code is ErrorCode.CANCELLED


class TestSendAgain:
    async def test_it_is_a_202_with_the_task(self, sending: httpx.AsyncClient, backend: InProcess) -> None:
        """The same task is told again; it counts as a try."""
        task_id = await submitted(sending)
        before = await until_tried(sending, task_id)
        answer = await sending.post(f"/api/v1/task/{task_id.upper()}/webhook")
        assert answer.status_code == 202
        assert answer.json()["aige_task_id"] == task_id
        assert answer.json()["webhook"] == {**before, "state": "waiting"}
        assert (await until_tried(sending, task_id, 2))["state"] == "delivered"
        assert [call.task.id for call in backend.webhooks] == [task_id, task_id]

    async def test_a_running_task_is_a_409(self, sending: httpx.AsyncClient, backend: InProcess) -> None:
        """There is nothing to tell yet."""
        backend.release.clear()
        answer = await sending.post(f"/api/v1/task/{await submitted(sending)}/webhook")
        assert_is_problem(answer, 409)
        assert "not ended" in answer.json()["detail"]

    async def test_a_task_without_one_is_a_409(self, sending: httpx.AsyncClient) -> None:
        """Whether it has ended or not."""
        answer = await sending.post(f"/api/v1/task/{await started(sending)}/webhook")
        assert_is_problem(answer, 409)
        assert "no webhook" in answer.json()["detail"]

    async def test_an_unknown_task_is_a_404(self, sending: httpx.AsyncClient) -> None:
        """As everywhere."""
        assert_is_problem(await sending.post("/api/v1/task/nobody/webhook"), 404)


async def test_another_webhook_url_is_another_request(sending: httpx.AsyncClient) -> None:
    """For an idempotency key; none and `null` are the same."""
    path, body = ROUTES["background"][1:]

    async def put(key: str, **more: object) -> httpx.Response:
        return await sending.put(path, json={**body, **more}, headers={"Idempotency-Key": key})

    first = await put("a", webhookUrl=HOOK)
    assert (await put("a", webhookUrl=HOOK)).json() == first.json()
    assert (await put("a", webhookUrl=f"{HOOK}2")).status_code == 409
    assert (await put("a")).status_code == 409
    assert (await put("b")).json() == (await put("b", webhookUrl=None)).json()
