"""https://docs.celeryq.dev/en/stable/getting-started/first-steps-with-celery.html, behind FastAPI."""

from celery.result import AsyncResult
from fastapi import FastAPI

from benchmarks.peers.celery_redis.tasks import app as celery
from benchmarks.peers.celery_redis.tasks import avatar as avatar_task
from benchmarks.peers.work import AvatarRequest

app = FastAPI()


@app.post("/avatar", status_code=201)
def avatar(request: AvatarRequest) -> dict[str, str]:
    task = avatar_task.delay(request.model_dump())
    return {"aige_task_id": task.id, "avatar_id": request.avatar_id}


@app.get("/task/{task_id}/status")
def status(task_id: str) -> dict[str, str]:
    return {"aige_task_id": task_id, "status": AsyncResult(task_id, app=celery).status}
