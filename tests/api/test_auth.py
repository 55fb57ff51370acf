"""API keys."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from tests.api.in_process import BASE, InProcess
from tests.api.requests import started


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
        assert (await guarded.get(probe)).status_code == 200


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


class Incomparable(bytes):
    """Bytes that must not be compared byte by byte: how long that takes tells how many of them are right."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared in a time that depends on the key")

    __hash__ = None  # type: ignore[assignment]  # nor looked up


class Key(str):
    """A key whose bytes are such."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return Incomparable(super().encode(encoding, errors))


async def test_keys_are_compared_in_constant_time(parts: Parts) -> None:
    """All of them, the right ones and the wrong ones, by `hmac.compare_digest` alone."""
    api = build_api(replace(parts, api_keys={Key("first"): "mobile", Key("second"): "web"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        for key, status in (("first", 200), ("second", 200), ("firsd", 401), ("firs", 401)):
            answer = await client.get("/api/v1/service", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == status


@pytest.mark.parametrize("key", ["geheim-voilà", "naïve-Å"])
async def test_a_key_may_end_in_any_byte(parts: Parts, key: str) -> None:
    """Also in one that is white space in Latin-1, which headers are read as; here it is a part of a letter."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build_api(replace(parts, api_keys={key: "web"}))), base_url=BASE
    ) as client:
        headers = {b"Authorization": f"Bearer {key}".encode()}
        assert (await client.get("/api/v1/service", headers=headers)).status_code == 200


async def test_only_names_of_keys_are_logged(guarded: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """Of right keys the name, of wrong ones nothing."""
    caplog.set_level(logging.DEBUG)
    assert (await guarded.get("/api/v1/service", headers={"Authorization": "Bearer wrong-key"})).status_code == 401
    guarded.headers["Authorization"] = "Bearer first"
    await guarded.get(f"/api/v1/task/{await started(guarded)}/events")
    assert any(re.fullmatch("avatar ended as done: .*; its caller: mobile.", line) for line in caplog.messages)
    assert "first" not in caplog.text
    assert "wrong-key" not in caplog.text


async def test_without_keys_all_belongs_to_default(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Whatever key is sent."""
    client.headers["Authorization"] = "Bearer first"
    first = await started(client)
    client.headers["Authorization"] = "Bearer second"
    assert (await client.get(f"/api/v1/task/{first}")).status_code == 200
    task = backend.orchestrator.tasks.get(first)
    assert task is not None
    assert task.caller == "default"
