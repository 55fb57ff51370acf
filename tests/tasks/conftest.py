"""What tests on one event loop share: nothing that a test has started there outlives it."""

import asyncio
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def turns() -> None:
    """Lets everybody do what they can."""
    for _ in range(20):
        await asyncio.sleep(0)
