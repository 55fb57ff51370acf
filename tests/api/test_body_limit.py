"""No more of a body is read than this server takes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx

from deployments.api.app import Parts, build_api
from deployments.settings import Limits, Settings
from tests.api.in_process import BASE
from tests.api.problems import assert_is_problem


async def test_a_body_over_the_limit_is_a_413(parts: Parts) -> None:
    """Whether it says its length or not."""
    small = replace(parts, settings=Settings(limits=Limits(body_bytes=100)))

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 10

    async with httpx.AsyncClient(transport=httpx.ASGITransport(build_api(small)), base_url=BASE) as client:
        headers = {"Content-Type": "application/json"}
        assert_is_problem(await client.post("/api/v1/avatar", content=b" " * 101, headers=headers), 413)
        assert_is_problem(await client.post("/api/v1/avatar", content=chunks(), headers=headers), 413)
