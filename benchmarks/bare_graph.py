"""The same task on Ray Serve and nothing else, as its documentation shows model composition: what Serve itself takes.

As many processes as AIGE's: five stages, of which the task needs three, and an actor that keeps the statuses. There is
no journal, and nothing survives; nothing is checked, limited, guarded, signed or measured.
"""

import asyncio
import uuid
from typing import cast

import ray
from fastapi import FastAPI
from ray import serve
from ray.actor import ActorClass, ActorHandle
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from benchmarks.peers.work import AvatarRequest, generate, remove_background, upload

api = FastAPI()


class AvatarGenerator:
    async def __call__(self, prompt: str) -> bytes:
        return await generate(prompt)


class BackgroundRemover:
    async def __call__(self, picture: bytes) -> bytes:
        return await remove_background(picture)


class Uploader:
    async def __call__(self, url: str, picture: bytes) -> None:
        await upload(url, picture)


class Idle:
    """A stage of other tasks."""


class Statuses:
    """The actor."""

    def __init__(self) -> None:
        self._statuses: dict[str, str] = {}

    async def put(self, task_id: str, status: str) -> None:
        self._statuses[task_id] = status

    async def get(self, task_id: str) -> str:
        return self._statuses[task_id]


@serve.ingress(api)
class Ingress:
    def __init__(self, *stages: DeploymentHandle[object]) -> None:
        self._generator, self._remover, self._uploader, *_ = stages
        statuses: ActorClass[Statuses] = ray.remote(Statuses).options(
            name="statuses", lifetime="detached", get_if_exists=True, num_cpus=0, max_concurrency=10_000
        )
        self._statuses = cast(ActorHandle[object], statuses.remote())
        self._running = set[asyncio.Task[None]]()

    @api.get("/api/v1/service")
    async def service(self) -> dict[str, str]:
        return {"engine": "none"}

    @api.post("/api/v1/avatar", status_code=201)
    async def avatar(self, request: AvatarRequest) -> dict[str, str]:
        task_id = str(uuid.uuid4())
        await self._statuses.put.remote(task_id, "pending")
        running = asyncio.create_task(self._run(task_id, request))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return {"aige_task_id": task_id, "avatar_id": request.avatar_id}

    @api.get("/api/v1/task/{task_id}/status")
    async def status(self, task_id: str) -> dict[str, str]:
        return {"aige_task_id": task_id, "status": await self._statuses.get.remote(task_id)}

    async def _run(self, task_id: str, request: AvatarRequest) -> None:
        await self._statuses.put.remote(task_id, "processing_avatar_model")
        picture = await self._generator.remote(request.prompt)
        await self._statuses.put.remote(task_id, "processing_background_removal")
        picture = await self._remover.remote(picture)
        await self._statuses.put.remote(task_id, "uploading_image")
        await self._uploader.remote(request.writeUrl, picture)
        await self._statuses.put.remote(task_id, "done")


def build(_settings: dict[str, object]) -> Application:
    """The application, whatever the settings."""
    placed = serve.deployment(ray_actor_options={"num_cpus": 0}, max_ongoing_requests=10_000)
    stages = [placed(stage).bind() for stage in (AvatarGenerator, BackgroundRemover, Uploader)]
    idle = [placed(Idle).options(name=f"Idle{number}").bind() for number in range(2)]
    return placed(Ingress).bind(*stages, *idle)
