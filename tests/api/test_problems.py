"""One error shape everywhere, readable by a browser on an allowed origin, and silent about causes."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from deployments.api.app import Parts, build_api
from tests.api.in_process import BASE, InProcess
from tests.api.problems import ORIGIN, assert_is_problem
from tests.api.requests import send


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1", "/api/v1/avatar/", "/api/v1/avatar//background"])
async def test_an_unknown_route_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    """And no redirect to a similar one."""
    assert_is_problem(await client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/avatar", "POST"),
        ("POST", "/api/v1/avatar/a/overlay", "PUT"),
        ("PUT", "/api/v1/task/1/status", "GET, HEAD"),
        ("PUT", "/api/v1/task/1", "GET, HEAD, DELETE"),
        ("POST", "/api/v1/tasks", "GET, HEAD"),
        ("GET", "/api/v1/task/1/webhook", "POST"),
        ("POST", "/api/v1/task/1/events", "GET, HEAD"),
        ("GET", "/api/v1/storage/presign", "POST"),
        ("POST", "/api/v1/storage/objects/x", "GET, HEAD, PUT"),
        ("PUT", "/api/v1/service", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_a_405_with_allow(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    """`Allow` names every method that the address takes."""
    answer = await client.request(method, path)
    assert_is_problem(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("route", ["", "/status", "/events"])
async def test_an_unforeseen_error_says_nothing_of_its_cause(
    client: httpx.AsyncClient, backend: InProcess, route: str
) -> None:
    """No stack trace, path or secret leaves; on every route, whoever answers it."""
    backend.broken = RuntimeError(f"secret in {Path(__file__)}")
    answer = await client.get(f"/api/v1/task/{UUID(int=1)}{route}", headers={"Origin": ORIGIN})
    assert_is_problem(answer, 500)
    assert "secret" not in answer.text
    assert __file__ not in answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def test_an_absent_actor_is_a_503_with_retry_after(client: httpx.AsyncClient, backend: InProcess) -> None:
    """The client knows that it may try again, and when."""
    backend.away = True
    answer = await send(client, "avatar")
    assert_is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


async def test_every_refusal_is_counted_by_its_reason(parts: Parts, backend: InProcess) -> None:
    """Once each, whoever refuses; what goes well is not counted."""
    refused = list[str]()
    api = build_api(replace(parts, on_refusal=refused.append, api_keys={"key": "default"}))
    bearer = {"Authorization": "Bearer key"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        assert (await client.get("/api/v1/service")).status_code == 401
        client.headers.update(bearer)
        assert (await send(client, "avatar", prompt="")).status_code == 400
        assert (await client.get(f"/api/v1/task/{UUID(int=1)}/status")).status_code == 404
        assert (await client.get("/nowhere")).status_code == 404
        assert (await client.put("/docs")).status_code == 405
        assert (await client.get("/api/v1/service")).status_code == 200
        assert (await client.post("/api/v1/avatar", headers={"Content-Length": "99999999"})).status_code == 413
        backend.broken = RuntimeError("unforeseen")
        assert (await client.get(f"/api/v1/task/{UUID(int=1)}/status")).status_code == 500
        assert (await client.get(f"/api/v1/task/{UUID(int=1)}")).status_code == 500
    assert refused == [
        "unauthorized",
        "invalid_request",
        "not_found",
        "not_found",
        "method_not_allowed",
        "body_too_large",
        "internal_server_error",
        "internal_server_error",
    ]
