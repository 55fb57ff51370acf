"""Overload: refusals cost next to nothing."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.api.overload import Gate
from deployments.settings import Limits, Settings
from tests.api.in_process import BASE, InProcess
from tests.api.requests import PNG, send

ROOM = 100


@pytest.fixture
def settings() -> Settings:
    return Settings(limits=Limits(tasks_in_flight=1, picture_bytes_in_flight=ROOM))


async def test_a_full_service_refuses_without_reading_bodies(client: httpx.AsyncClient, backend: InProcess) -> None:
    """503 with Retry-After; reading a body would fail this test. Everything but submissions goes on."""
    backend.release.clear()
    assert (await send(client, "avatar")).status_code == 201
    assert (await send(client, "avatar")).status_code == 503

    async def unreadable() -> AsyncIterator[bytes]:
        yield b""
        raise AssertionError("the body was read")

    answer = await client.post("/api/v1/avatar", content=unreadable())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert (await client.get("/api/v1/service")).status_code == 200
    assert (await client.post("/api/v1/avatar/nowhere")).status_code == 405


async def test_a_photo_that_has_no_room_shuts_nobody_out(client: httpx.AsyncClient) -> None:
    """Whoever sends URLs, as its refusal advises, is let in."""
    large = base64.b64encode(base64.b64decode(PNG) + bytes(ROOM)).decode()
    refused = await send(client, "avatar", source_images=[large])
    assert (refused.status_code, "or send URLs" in refused.json()["detail"]) == (503, True)
    assert (await send(client, "background")).status_code == 200


async def test_a_closed_gate_says_why_it_was_closed(parts: Parts, backend: InProcess) -> None:
    """Its refusals count as those of what is missing."""
    refused = list[str]()
    backend.away = True
    api = build_api(replace(parts, on_refusal=refused.append))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        for _ in range(2):
            assert (await send(client, "avatar")).status_code == 503
    assert refused == ["actor", "actor"]


async def test_the_gate_opens_again() -> None:
    """After a second."""
    clock = [0.0]
    gate = Gate(lambda: clock[0])
    gate.close("full")
    assert gate.is_closed
    clock[0] = 1.0
    assert not gate.is_closed
