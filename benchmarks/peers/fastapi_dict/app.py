"""https://fastapi.tiangolo.com/tutorial/background-tasks/: the work runs after the answer; statuses are in a dict."""

import uuid

from fastapi import BackgroundTasks, FastAPI, HTTPException

from benchmarks.peers.work import AvatarRequest, generate, remove_background, upload

app = FastAPI()
statuses: dict[str, str] = {}


async def work(task_id: str, request: AvatarRequest) -> None:
    try:
        statuses[task_id] = "processing_avatar_model"
        picture = await generate(request.prompt)
        statuses[task_id] = "processing_background_removal"
        picture = await remove_background(picture)
        statuses[task_id] = "uploading_image"
        await upload(request.writeUrl, picture)
        statuses[task_id] = "done"
    except Exception:
        statuses[task_id] = "error"
        raise


@app.post("/avatar", status_code=201)
async def avatar(request: AvatarRequest, background_tasks: BackgroundTasks) -> dict[str, str]:
    task_id = str(uuid.uuid4())
    statuses[task_id] = "pending"
    background_tasks.add_task(work, task_id, request)
    return {"aige_task_id": task_id, "avatar_id": request.avatar_id}


@app.get("/task/{task_id}/status")
async def status(task_id: str) -> dict[str, str]:
    if task_id not in statuses:
        raise HTTPException(404)
    return {"aige_task_id": task_id, "status": statuses[task_id]}
