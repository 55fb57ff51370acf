"""What a request says is logged nowhere: neither a prompt, nor a photo, nor a URL, whatever becomes of it.

`tests/e2e/test_logs.py` looks for the same in all files of a running service.
"""

import base64
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.errors import ErrorCode
from deployments.tasks.record import Failure
from deployments.tasks.work import Outcome, Work
from tests.api.in_process import BASE, InProcess
from tests.api.requests import PNG, ROUTES, params, send

MARK = "Zq7Wm1"
PHOTO = base64.b64encode(base64.b64decode(PNG) + MARK.encode()).decode()
URLS = dict.fromkeys(("writeUrl", "readUrl", "webhookUrl"), f"https://{MARK}.example/{MARK}?{MARK}")
MARKED: dict[str, dict[str, object]] = {
    "avatar": {"source_images": [PHOTO, URLS["readUrl"]]},
    "background": {},
    "overlay": {"params": params(person=URLS["readUrl"], background=URLS["writeUrl"])},
}


@pytest.fixture
async def sending(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with a webhook secret."""
    api = build_api(replace(parts, sends_webhooks=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        yield client


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """All lines with their tracebacks, but for those of the test's own client."""
    formatter = logging.Formatter()
    return [formatter.format(record) for record in caplog.records if record.name != "httpx"]


OUTCOMES: list[Callable[[Work], Outcome]] = [
    lambda work: work,
    lambda _: Failure(ErrorCode.ENGINE_ERROR, "Try again."),
]
WRONG: list[dict[str, object]] = [
    {"writeUrl": f"ftp://{MARK}"},
    {"readUrl": [MARK]},
    {"aspect_ratio": MARK},
    {"prompt": [MARK]},
]


@pytest.mark.parametrize("route", ROUTES)
async def test_of_tasks_that_end_in_any_way(
    sending: httpx.AsyncClient, backend: InProcess, caplog: pytest.LogCaptureFixture, route: str
) -> None:
    """Well, in a failure, or cancelled; told to a receiver that fails, listed and erased."""
    caplog.set_level(logging.DEBUG)
    backend.receiver = lambda _: 500
    for backend.outcome in OUTCOMES:
        answer = await send(sending, route, prompt=MARK, **MARKED[route], **URLS)
        assert answer.is_success
        await sending.get(f"/api/v1/task/{answer.json()['aige_task_id']}/events")
    backend.release.clear()
    answer = await send(sending, route, prompt=MARK, **MARKED[route], **URLS)
    assert (await sending.delete(f"/api/v1/task/{answer.json()['aige_task_id']}")).status_code == 202
    assert (await sending.get("/api/v1/tasks")).text.count(URLS["readUrl"]) == 1
    assert (await sending.delete("/api/v1/avatar/a%201")).json()["tasks"] == 3
    lines = logged(caplog)
    assert any("ended as done" in line for line in lines)
    assert [line for line in lines if MARK in line] == []


@pytest.mark.parametrize("route", ROUTES)
async def test_of_requests_that_are_refused_or_break(
    sending: httpx.AsyncClient, backend: InProcess, caplog: pytest.LogCaptureFixture, route: str
) -> None:
    """For a wrong field, a wrong URL, a conflict, an actor that is away, or a fault of ours."""
    caplog.set_level(logging.DEBUG)
    method, path, example = ROUTES[route]
    body = {**example, "prompt": MARK, **MARKED[route], **URLS}
    for wrong in WRONG:
        assert (await sending.request(method, path, json={**body, **wrong})).status_code == 400
    assert (await sending.request(method, path, content=f'{{"prompt": "{MARK}')).status_code == 400
    key = {"Idempotency-Key": MARK}
    assert (await sending.request(method, path, json=body, headers=key)).is_success
    assert (await sending.request(method, path, json={**body, "prompt": f"{MARK}!"}, headers=key)).status_code == 409
    backend.away = True
    assert (await sending.request(method, path, json=body)).status_code == 503
    backend.away, backend.broken = False, RuntimeError("a fault of ours")
    assert (await sending.get(f"/api/v1/task/{MARK}?{MARK}")).status_code == 404
    assert (await sending.get(f"/api/v1/task/{UUID(int=1)}?{MARK}")).status_code == 500
    lines = logged(caplog)
    assert any("A request broke." in line for line in lines)
    assert [line for line in lines if MARK in line] == []
