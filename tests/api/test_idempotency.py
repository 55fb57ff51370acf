"""Idempotency keys, over HTTP."""

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.api.idempotency import binding_of, scoped
from deployments.api.models import BackgroundRequest
from tests.api.in_process import BASE, InProcess
from tests.api.requests import ROUTES, params
from tests.api.requests import send as submit


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


async def test_the_same_key_on_another_route_is_a_409(client: httpx.AsyncClient) -> None:
    """A key names one request: the route is part of it."""
    assert (await send(client, "background", "k")).status_code == 200
    assert (await send(client, "overlay", "k")).status_code == 409
    assert (await send(client, "avatar", "k")).status_code == 409


def test_the_route_is_part_of_the_request() -> None:
    """Even of two routes whose bodies are one."""
    body = BackgroundRequest.model_validate(ROUTES["background"][2])
    one, another = (binding_of("k", route, "default", body) for route in ("background", "overlay"))
    assert one is not None
    assert another is not None
    assert one.key == another.key
    assert one.fingerprint != another.fingerprint


async def test_keys_of_other_callers_are_others(parts: Parts) -> None:
    """Nobody meets another's task by guessing a key; keys of one name share theirs."""
    api = build_api(replace(parts, api_keys={"k1": "one", "k2": "two", "new k1": "one"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        one, two, rotated = [await send(client, "background", "k", f"Bearer {key}") for key in ("k1", "k2", "new k1")]
    assert one.json() != two.json()
    assert (rotated.json(), rotated.headers["idempotent-replayed"]) == (one.json(), "true")


def test_scopes_of_callers_differ() -> None:
    """Whatever they are called; the default caller's is that of version 0.1.0, whose journals hold such keys."""
    assert scoped("k", "default") == hashlib.sha256(b"None\nk").hexdigest()
    assert len({scoped("k", caller) for caller in ("default", "None", "one", "caller")}) == 4


async def test_only_a_repetition_says_that_it_is_one(client: httpx.AsyncClient) -> None:
    """Neither the first request, nor one without a key, nor a conflict."""
    first, again = await send(client, "avatar", "k"), await send(client, "avatar", "k")
    assert again.headers["idempotent-replayed"] == "true"
    conflict = await send(client, "avatar", "k", prompt="another")
    without = await submit(client, "avatar")
    assert not any("idempotent-replayed" in answer.headers for answer in (first, conflict, without))


async def test_of_requests_at_the_same_moment_one_starts_the_task(
    client: httpx.AsyncClient, backend: InProcess
) -> None:
    """And all others say that they repeat it: here each asked for an earlier one before there was any."""
    backend.finds_bound = False
    answers = await asyncio.gather(*[send(client, "background", "k") for _ in range(5)])
    assert len({answer.json()["aige_task_id"] for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers].count(None) == 1


@pytest.mark.parametrize(
    "same",
    [
        {"aspect_ratio": "landscape_16_9"},
        {"aspect_ratio": None, "webhook": 1},
        {"params": {**params(x=10.0, scale=5e-1), "note": None}},
    ],
)
async def test_what_means_the_same_is_the_same_request(client: httpx.AsyncClient, same: dict[str, object]) -> None:
    """Unknown fields, null, defaults, and other ways to write a number."""
    first = await send(client, "overlay", "k")
    again = await send(client, "overlay", "k", "", **same)
    assert (again.status_code, again.json()) == (200, first.json())


@pytest.mark.parametrize("quoted", ['"k 1"', '"' + "x" * 128 + '"', '"a"b"'])
async def test_quotes_around_a_key_are_not_part_of_it(client: httpx.AsyncClient, quoted: str) -> None:
    """The IETF's draft has it in double quotes."""
    first = await send(client, "avatar", quoted)
    again = await send(client, "avatar", quoted[1:-1])
    assert (first.status_code, again.json()) == (201, first.json())


async def test_the_avatar_id_in_the_path_is_checked_first(client: httpx.AsyncClient) -> None:
    """A key does not lend its task to a request that is wrong by itself."""
    await send(client, "background", "k")
    headers = {"Idempotency-Key": "k"}
    answer = await client.put("/api/v1/avatar/other/background", json=ROUTES["background"][2], headers=headers)
    assert answer.status_code == 400


async def test_a_refused_request_binds_nothing(client: httpx.AsyncClient) -> None:
    """The corrected one is taken with the same key."""
    assert (await send(client, "avatar", "k", writeUrl="ftp://x")).status_code == 400
    assert (await send(client, "avatar", "k")).status_code == 201


async def test_a_repeated_request_gives_its_task_after_its_write_url_has_expired(parts: Parts) -> None:
    """The task has been accepted: it is too late to refuse it."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    url = "https://b.s3.example/k?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0"
    api = build_api(replace(parts, clock=lambda: clock[0]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE) as client:
        first = await send(client, "avatar", "k", writeUrl=url)
        clock[0] += timedelta(seconds=60)
        again = await send(client, "avatar", "k", writeUrl=url)
        assert (again.status_code, again.json()) == (201, first.json())
        assert (await send(client, "avatar", "another", writeUrl=url)).status_code == 400


@pytest.mark.parametrize("key", [b"", b"x" * 129, b"\xff", b"a\tb", b'""', b'"' + b"x" * 129 + b'"', b'"\xff"'])
async def test_a_key_is_printable_ascii(client: httpx.AsyncClient, key: bytes) -> None:
    """1 to 128 characters of it."""
    answer = await send(client, "avatar", key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]
