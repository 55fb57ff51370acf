"""The built-in store's routes."""

import asyncio
import time
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.types import Message

from deployments.api.app import Parts, build_api
from deployments.api.storage_routes import sweeping
from deployments.media.storage import BuiltinStore
from tests.api.requests import broken_off


async def presigned(client: httpx.AsyncClient) -> dict[str, str]:
    answer: dict[str, str] = (await client.post("/api/v1/storage/presign")).json()
    return answer


async def test_an_object_that_is_replaced_while_it_is_read_arrives_whole(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    """Its reader gets the bytes that its Content-Length was told of: here the new ones come between both."""
    assert isinstance(parts.store, BuiltinStore)
    place = await presigned(client)
    await client.put(place["writeUrl"], content=b"x" * 1_000_000)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.start":
            await client.put(place["writeUrl"], content=b"y")

    url = httpx.URL(place["readUrl"])
    scope = {"type": "http", "method": "GET", "path": url.path, "query_string": url.query, "headers": []}
    await build_api(parts)(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]  # nothing is received
    assert b"".join(message.get("body", b"") for message in sent) == b"x" * 1_000_000
    assert dict(sent[0]["headers"])[b"content-length"] == b"1000000"
    assert (await client.get(place["readUrl"])).content == b"y"


async def test_an_upload_that_breaks_off_is_no_fault_of_ours(client: httpx.AsyncClient, parts: Parts) -> None:
    """Its client is gone: that is no 500, no stack trace in the log, and no object."""
    place = await presigned(client)
    assert await broken_off(parts, "PUT", place["writeUrl"], b"x") == 400
    assert (await client.get(place["readUrl"])).status_code == 404


async def test_what_part_is_asked_for_makes_no_difference(client: httpx.AsyncClient) -> None:
    """The whole object comes, as HTTP allows."""
    place = await presigned(client)
    await client.put(place["writeUrl"], content=b"0123456789")
    for part in ("bytes=2-3", "bytes=20-30", "lines=1"):
        answer = await client.get(place["readUrl"], headers={"Range": part})
        assert (answer.status_code, answer.content) == (200, b"0123456789")
        assert answer.headers["accept-ranges"] == "none"


async def test_what_has_expired_goes_though_a_sweep_failed(tmp_path: Path) -> None:
    """The next one does it: here the folder was away for an hour."""
    root, expired = tmp_path / "objects", tmp_path / "objects" / ("0" * 32)
    store = BuiltinStore(root, b"secret", max_bytes=1, clock=lambda: time.time() + 10**9)
    root.rmdir()
    hours = 0
    swept = asyncio.Event()

    async def sleep(_: float) -> None:
        nonlocal hours
        hours += 1
        if hours == 1:
            root.mkdir()
            expired.touch()
        else:
            swept.set()
            await asyncio.Event().wait()

    async with sweeping(store, sleep)(FastAPI()), asyncio.timeout(5):
        await swept.wait()
    assert not expired.exists()
