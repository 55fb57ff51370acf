"""How the tests of the fal engine get one, and wait for what it is about to do."""

import asyncio
from collections.abc import Callable

from deployments.engines.fal.engine import FalEngine

MakeEngine = Callable[..., FalEngine]


async def soon(event: asyncio.Event) -> None:
    """Waits for what is about to happen; should it not, the test fails instead of hanging."""
    async with asyncio.timeout(20):
        await event.wait()
