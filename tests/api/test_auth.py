"""API keys."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from tests.api.in_process import BASE


@pytest.fixture
async def guarded(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    api = build_api(replace(parts, api_keys={"first": "mobile", "zwéi": "web"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        yield client


@pytest.mark.parametrize(
    "header",
    [None, "", "first", "Bearer", "Bearer ", "Bearer wrong", "Basic first", "Bearer first,zwéi", "Bearer firs"],
)
async def test_without_a_right_key_everything_is_a_401(guarded: httpx.AsyncClient, header: str | None) -> None:
    """Known routes and unknown ones alike."""
    headers = {} if header is None else {b"Authorization": header.encode()}
    for path in ("/api/v1/service", "/api/v1/task/x", "/api/v1/task/x/status", "/nowhere"):
        answer = await guarded.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["first", "zwéi"])
async def test_any_configured_key_opens(guarded: httpx.AsyncClient, key: str) -> None:
    """The scheme is compared without regard to case, as HTTP wants."""
    for scheme in ("Bearer", "bearer"):
        answer = await guarded.get("/api/v1/service", headers={b"Authorization": f"{scheme} {key}".encode()})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
async def test_what_everybody_may_read_needs_no_key(guarded: httpx.AsyncClient, path: str) -> None:
    """The web UI and the API's description; probes of the service's health, too, bring no key."""
    assert (await guarded.get(path)).status_code == 200
    for probe in ("/healthz", "/readyz"):
        assert (await guarded.get(probe)).status_code != 401


async def test_signed_store_urls_need_no_key(guarded: httpx.AsyncClient) -> None:
    """Their signature is their key; presigning itself needs one."""
    assert (await guarded.post("/api/v1/storage/presign")).status_code == 401
    signed = await guarded.post("/api/v1/storage/presign", headers={"Authorization": "Bearer first"})
    assert (await guarded.put(signed.json()["writeUrl"], content=b"x")).status_code == 200
    assert (await guarded.get(signed.json()["readUrl"])).content == b"x"


async def test_preflights_need_no_key(guarded: httpx.AsyncClient) -> None:
    """A browser never sends one with them; and a 401 must be readable by it."""
    asks = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    assert (await guarded.options("/api/v1/service", headers=asks)).status_code == 200
    answer = await guarded.get("/api/v1/service", headers=asks)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
