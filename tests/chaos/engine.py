"""An engine that pays the provider of `tests.chaos.provider` for every verb; its address is `engine_options.url`.

A prompt with "block" in it blocks the event loop of TaskStatus, once its call is paid for.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

import httpx
from ray import serve

from deployments.engines.base import Cost, EngineContext, Made, PaidCall
from deployments.errors import EngineError, Unavailable
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.runtime.actor import find_actor
from deployments.runtime.client import TaskStatusClient
from deployments.tasks.messages import Delivery, Message
from deployments.tasks.orchestrator import Orchestrator

BLOCKED_S = 600
MODEL = "paid"
"""What the provider bills: one unit for each picture."""


class BlockTaskStatus(Message[None]):
    """Stops all that TaskStatus does, without ending its process."""

    delivery = Delivery(batched=False, patience_s=1)

    async def handle(self, _orchestrator: Orchestrator, /) -> None:
        time.sleep(BLOCKED_S)  # noqa: ASYNC251 - that is the point


async def block_task_status() -> None:
    app_name = serve.get_replica_context().app_name
    with suppress(Unavailable):
        await TaskStatusClient(lambda: find_actor(app_name)).ask(BlockTaskStatus())


class PaidEngine:
    """See `deployments.engines.base.Engine`. Prompts name what is paid for, so that the books can be compared."""

    name: ClassVar = "paid"
    generative: ClassVar = False
    blends: ClassVar = False

    def __init__(self, context: EngineContext) -> None:
        self._client = httpx.AsyncClient(base_url=str(context.options["url"]), timeout=10, trust_env=False)

    async def portrait(self, prompt: str, _photos: Sequence[Picture], _ratio: AspectRatio, call: PaidCall, /) -> Made:
        return await self._paid(f"portrait-{prompt}", "scene", call)

    async def background(self, prompt: str, _ratio: AspectRatio, call: PaidCall, /) -> Made:
        return await self._paid(f"background-{prompt}", "scene", call)

    async def cut_out(self, picture: Picture, call: PaidCall, /) -> Made:
        assert picture.url is not None
        return await self._paid(f"cut_out-{picture.url.partition('?')[2]}", "person", call)

    async def blend(self, _prompt: str, composite: Picture, _call: PaidCall, /) -> Made:
        return Made(composite)

    async def _paid(self, key: str, kind: str, call: PaidCall) -> Made:
        is_new = call.receipt is None
        number = await call.submit(lambda: self._submit(key), MODEL)
        if is_new and "block" in key:
            await block_task_status()
        try:
            while not (await self._client.get(f"/requests/{number}")).json()["done"]:  # noqa: ASYNC110 - polls
                await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            if not await call.is_wanted():
                await self._client.put(f"/requests/{number}/cancel")
            raise
        picture = Picture(url=f"{self._client.base_url}/pictures/{kind}?{key.partition('-')[2]}")
        return Made(picture, cost=Cost(MODEL, 1))

    async def _submit(self, key: str) -> str:
        try:
            answer = await self._client.post("/submit", json={"key": key})
        except httpx.ConnectError as error:
            raise EngineError("The provider cannot be reached; try again.") from error
        number: str = answer.json()["id"]
        return number
