"""What browsers ask before they let a page call, and what they let it read."""

import httpx
import pytest

from tests.api.problems import ORIGIN, assert_is_problem
from tests.api.requests import AVATAR

PATH = "/api/v1/avatar/a/overlay"


async def preflight(client: httpx.AsyncClient, headers: str, origin: str = ORIGIN, **more: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": headers, **more}
    return await client.options(PATH, headers={"Origin": origin, **asked})


@pytest.mark.parametrize(
    "headers",
    [
        "content-type,idempotency-key,authorization",
        "content-type,traceparent,tracestate",
        "content-type,sentry-trace,baggage",
        "x-requested-with",
        "cache-control,last-event-id",
        "x-datadog-trace-id,x-b3-traceid,accept-language,range",
    ],
)
async def test_a_preflight_is_answered_whatever_headers_it_names(client: httpx.AsyncClient, headers: str) -> None:
    """Tracing libraries add theirs to every call of a page."""
    answer = await preflight(client, headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-headers"] == headers
    assert "PUT" in answer.headers["access-control-allow-methods"]


async def test_a_page_of_the_internet_may_call_into_a_private_network(client: httpx.AsyncClient) -> None:
    """Chrome asks before such a call; only for configured origins."""
    private = {"Access-Control-Request-Private-Network": "true"}
    answer = await preflight(client, "content-type", **private)
    assert (answer.status_code, answer.headers["access-control-allow-private-network"]) == (200, "true")
    assert_is_problem(await preflight(client, "content-type", "https://evil.example", **private), 400)


async def test_other_origins_are_refused(client: httpx.AsyncClient) -> None:
    """In the preflight, and where a browser sends none, by an answer that it keeps from the page."""
    answer = await preflight(client, "content-type", "https://evil.example")
    assert_is_problem(answer, 400)
    assert "access-control-allow-origin" not in answer.headers
    answer = await client.post("/api/v1/avatar", json=AVATAR, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_a_page_may_read_our_own_headers(client: httpx.AsyncClient) -> None:
    """On answers and on errors; and no answer for one origin is kept for another."""
    for answer in (
        await client.get("/api/v1/service", headers={"Origin": ORIGIN}),
        await client.get("/nowhere", headers={"Origin": ORIGIN}),
    ):
        assert {"Retry-After", "Idempotent-Replayed", "Link"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "Origin" in answer.headers["vary"]


async def test_every_error_carries_cors_headers(client: httpx.AsyncClient) -> None:
    """A browser must be able to read a 400."""
    for answer in (
        await client.post("/api/v1/avatar", content=b"{", headers={"Origin": ORIGIN}),
        await client.post("/api/v1/avatar", json={}, headers={"Origin": ORIGIN}),
        await client.get("/api/v1/avatar", headers={"Origin": ORIGIN}),
        await client.get("/api/v1/task/nobody", headers={"Origin": ORIGIN}),
    ):
        assert_is_problem(answer, answer.status_code)
        assert answer.status_code >= 400
        assert answer.headers["access-control-allow-origin"] == ORIGIN
