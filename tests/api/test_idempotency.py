"""Idempotency keys, over HTTP."""

import json
from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from tests.api.conftest import BASE, InProcess
from tests.api.test_submission import ROUTES


async def send(
    client: httpx.AsyncClient, route: str, key: str | bytes, authorization: str = "", **changes: object
) -> httpx.Response:
    method, path, example = ROUTES[route]
    headers = {b"Idempotency-Key": key if isinstance(key, bytes) else key.encode()}
    headers |= {b"Authorization": authorization.encode(), b"Content-Type": b"application/json"}
    return await client.request(method, path, content=json.dumps({**example, **changes}), headers=headers)


@pytest.mark.parametrize("route", ROUTES)
async def test_the_same_key_and_request_give_the_same_task(client: httpx.AsyncClient, route: str) -> None:
    """Compared as parsed: an explicit default, or a field that nobody knows, makes no difference."""
    first = await send(client, route, "k")
    again = await send(client, route, "k", aspect_ratio=None, unknown=1)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


async def test_another_request_with_the_same_key_is_a_409(client: httpx.AsyncClient) -> None:
    """And starts nothing."""
    await send(client, "avatar", "k")
    answer = await send(client, "avatar", "k", prompt="another")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


async def test_keys_of_other_routes_and_callers_are_others(parts: Parts) -> None:
    """Nobody meets another's task by guessing a key."""
    api = build_api(replace(parts, api_keys=frozenset({"one", "two"})))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        answers = [
            await send(client, "background", "k", "Bearer one"),
            await send(client, "background", "k", "Bearer two"),
            await send(client, "overlay", "k", "Bearer one"),
        ]
    assert len({answer.json()["aige_task_id"] for answer in answers}) == 3


async def test_a_refused_request_binds_nothing(client: httpx.AsyncClient) -> None:
    """The corrected one is taken with the same key."""
    assert (await send(client, "avatar", "k", writeUrl="ftp://x")).status_code == 400
    assert (await send(client, "avatar", "k")).status_code == 201


async def test_a_repeated_request_gives_its_task_after_its_write_url_has_expired(
    client: httpx.AsyncClient, backend: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task has been accepted: it is too late to refuse it."""
    first = await send(client, "avatar", "k")
    monkeypatch.setattr("deployments.media.signed_urls.is_expired", lambda *_: True)
    again = await send(client, "avatar", "k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await send(client, "avatar", "another")).status_code == 400


@pytest.mark.parametrize("key", [b"", b"x" * 129, b"\xff", b"a\tb"])
async def test_a_key_is_printable_ascii(client: httpx.AsyncClient, key: bytes) -> None:
    """1 to 128 characters of it."""
    answer = await send(client, "avatar", key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]
