"""https://docs.dbos.dev/python/programming-guide: a workflow of three steps, each checkpointed."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbos import DBOS, DBOSConfig
from fastapi import FastAPI

from benchmarks.peers import work
from benchmarks.peers.work import AvatarRequest

config: DBOSConfig = {
    "name": "avatars",
    "system_database_url": os.environ["DBOS_SYSTEM_DATABASE_URL"],
    "run_admin_server": False,
    "log_level": "WARNING",
}
DBOS(config=config)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    DBOS.launch()
    yield
    DBOS.destroy()


app = FastAPI(lifespan=lifespan)


@DBOS.step()
async def generate(prompt: str) -> bytes:
    return await work.generate(prompt)


@DBOS.step()
async def remove_background(picture: bytes) -> bytes:
    return await work.remove_background(picture)


@DBOS.step()
async def upload(url: str, picture: bytes) -> None:
    await work.upload(url, picture)


@DBOS.workflow()
async def make_avatar(request: dict[str, str]) -> str:
    picture = await generate(request["prompt"])
    picture = await remove_background(picture)
    await upload(request["writeUrl"], picture)
    return request["readUrl"]


@app.post("/avatar", status_code=201)
async def avatar(request: AvatarRequest) -> dict[str, str]:
    handle = await DBOS.start_workflow_async(make_avatar, request.model_dump())
    return {"aige_task_id": handle.workflow_id, "avatar_id": request.avatar_id}


@app.get("/task/{task_id}/status")
async def status(task_id: str) -> dict[str, str]:
    handle = await DBOS.retrieve_workflow_async(task_id)
    return {"aige_task_id": task_id, "status": (await handle.get_status()).status}
