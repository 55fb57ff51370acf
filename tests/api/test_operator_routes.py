"""The operator's event stream: what it tells, whom, and how often."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from fastapi import FastAPI

from deployments.api.app import Parts, build_api
from deployments.api.operator_routes import PING_EVERY, operator_routes
from deployments.errors import ErrorCode, Unavailable
from deployments.settings import Settings
from deployments.tasks.overview import Overview, Payer
from deployments.tasks.record import Failure, Status, Task, now
from tests.api.in_process import BASE, InProcess
from tests.api.requests import started
from tests.tasks.in_process import AT, no_sleep, task_and_work

PATHS = ("/api/v1/operator", "/api/v1/operator/events")


class Scripted(InProcess):
    """Tells these overviews, one each time that it is asked, and is away after the last one."""

    def __init__(self, told: Sequence[Overview]) -> None:
        super().__init__(Settings())
        self._told = iter(told)

    async def overview(self) -> Overview:
        for overview in self._told:
            return overview
        raise Unavailable("The task status actor is restarting; try again in a few seconds.", 2)


async def stream(*told: Overview) -> list[str]:
    """The events and comments that a client reads, to the end of the stream."""
    app = FastAPI()
    app.include_router(operator_routes(Scripted(told), lambda _: True, no_sleep))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        answer = await client.get("/operator/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    return answer.text.removesuffix("\n\n").split("\n\n")


def data_of(event: str) -> dict[str, object]:
    name, data = event.split("\n")
    assert name == "event: overview"
    told: dict[str, object] = json.loads(data.removeprefix("data: "))
    return told


def ended(failure: Failure | None = None) -> Task:
    task = replace(task_and_work()[0].attempted(), caller="web")
    return task.failed(failure, now()) if failure else task.finished(1, AT)


async def test_an_overview_has_tasks_in_flight_and_how_others_have_ended() -> None:
    """Callers by name; each end with its reason, and how long its task took."""
    failed = replace(ended(Failure(ErrorCode.NO_PERSON_FOUND, "Send another photo.")), id="f")
    counts = {"web": {Status.PENDING: 2, Status.UPLOADING_IMAGE: 1}, "mobile": {Status.PENDING: 1}}
    billed = {("web", "x"): "0.30", ("web", "y"): "0.50", ("mobile", "x"): "0.3"}
    sums = {Payer(*payer): Decimal(amount) for payer, amount in billed.items()}
    (event,) = await stream(Overview(counts, (failed, ended()), webhooks_waiting=7, billed=sums))
    told = data_of(event)
    assert told["webhooks_waiting"] == 7
    assert told["billed"] == [
        {"caller": "web", "model": "y", "amount": 0.5},
        {"caller": "mobile", "model": "x", "amount": 0.3},
        {"caller": "web", "model": "x", "amount": 0.3},
    ]
    assert told["in_flight"] == [
        {"caller": "mobile", "statuses": {"pending": 1}},
        {"caller": "web", "statuses": {"pending": 2, "uploading_image": 1}},
    ]
    assert isinstance(told["ended"], list)
    first, second = told["ended"]
    assert first["error"] == {"code": "no_person_found", "message": "Send another photo."}
    assert first["seconds"] == (failed.timeline[-1].at - AT).total_seconds()
    assert second == {
        "aige_task_id": "t",
        "caller": "web",
        "operation": "background",
        "status": "done",
        "error": None,
        "engine": "local",
        "at": "2026-01-01T00:00:00Z",
        "seconds": 0.0,
    }


async def test_the_reason_is_the_one_that_the_caller_reads() -> None:
    """Some codes are stored under another one, for the version before."""
    (event,) = await stream(Overview({}, (ended(Failure(ErrorCode.BUDGET_EXCEEDED, "Try again later.")),)))
    assert data_of(event)["ended"][0]["error"]["code"] == "budget_exceeded"  # type: ignore[index]


async def test_what_is_not_new_is_not_told_again() -> None:
    """A comment now and then shows that the line is not dead; and the stream ends where nothing is known any more."""
    busy, idle = Overview({"web": {Status.PENDING: 1}}, ()), Overview({}, ())
    told = await stream(busy, busy, idle, *[idle] * PING_EVERY, busy)
    assert [event if event == ": ping" else data_of(event)["in_flight"] for event in told] == [
        [{"caller": "web", "statuses": {"pending": 1}}],
        [],
        ": ping",
        [{"caller": "web", "statuses": {"pending": 1}}],
    ]


async def test_while_nothing_is_known_it_is_a_503(client: httpx.AsyncClient, backend: InProcess) -> None:
    """As everywhere."""
    backend.away = True
    for path in PATHS:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("keys", "operators", "statuses"),
    [
        ({}, [], {None: 200}),
        ({"one": "mobile", "two": "web"}, [], {"one": 403, "two": 403, None: 401}),
        ({"one": "mobile", "two": "web"}, ["web"], {"one": 403, "two": 200, None: 401}),
        ({"one": "default"}, [], {"one": 403}),
    ],
)
async def test_it_is_for_operators_alone(
    parts: Parts, keys: dict[str, str], operators: list[str], statuses: dict[str | None, int]
) -> None:
    """Whom `operators` names; and anybody where no API keys tell callers apart. `GET /service` says who is one."""
    settings = Settings.model_validate({"operators": operators})
    api = build_api(replace(parts, api_keys=keys, settings=settings))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        for key, status in statuses.items():
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            for path in PATHS:
                assert (await client.head(path, headers=headers)).status_code == status
            service = await client.get("/api/v1/service", headers=headers)
            assert service.json().get("operator") == {200: True, 403: False, 401: None}[status]


async def test_a_refusal_says_what_an_operator_can_do(parts: Parts) -> None:
    """And where."""
    api = build_api(replace(parts, api_keys={"one": "mobile"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        answer = await client.get(PATHS[0], headers={"Authorization": "Bearer one"})
    assert answer.json()["detail"] == "This is for operators: name this key under `operators` in serve_config.yaml."


async def test_without_a_stream_it_is_the_same(client: httpx.AsyncClient, backend: InProcess) -> None:
    """For scripts and monitors."""
    backend.release.clear()
    await started(client)
    told = (await client.get(PATHS[0])).json()
    assert [row["caller"] for row in told["in_flight"]] == ["default"]
    assert told["ended"] == []
    backend.release.set()
