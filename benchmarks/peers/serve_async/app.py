"""https://docs.ray.io/en/latest/serve/asynchronous-inference.html: an ingress that enqueues, a consumer that works."""

import os
import signal

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.schema import CeleryAdapterConfig, TaskProcessorConfig
from ray.serve.task_consumer import instantiate_adapter_from_config, task_consumer, task_handler

from benchmarks.peers.work import AvatarRequest, generate_sync, upload_sync

REDIS = os.environ["REDIS_URL"]
PROCESSOR = TaskProcessorConfig(
    queue_name="avatars", adapter_config=CeleryAdapterConfig(broker_url=REDIS, backend_url=REDIS)
)
app = FastAPI()


@serve.deployment(num_replicas=1, max_ongoing_requests=2, ray_actor_options={"num_cpus": 0.1})
@task_consumer(task_processor_config=PROCESSOR)
class Worker:
    @task_handler(name="avatar")
    def avatar(self, body: dict[str, str]) -> str:
        picture = generate_sync(body["prompt"])
        upload_sync(body["writeUrl"], picture)
        return body["readUrl"]


@serve.deployment(max_ongoing_requests=1_000, ray_actor_options={"num_cpus": 0.1})
@serve.ingress(app)
class Api:
    def __init__(self, _worker: object) -> None:
        self.adapter = instantiate_adapter_from_config(PROCESSOR)

    @app.post("/avatar", status_code=201)
    def avatar(self, request: AvatarRequest) -> dict[str, str]:
        task = self.adapter.enqueue_task_sync(task_name="avatar", args=[request.model_dump()])
        return {"aige_task_id": task.id, "avatar_id": request.avatar_id}

    @app.get("/task/{task_id}/status")
    def status(self, task_id: str) -> dict[str, str]:
        return {"aige_task_id": task_id, "status": self.adapter.get_task_status_sync(task_id).status}


if __name__ == "__main__":
    ray.init(_temp_dir=f"{os.environ['RAY_TMPDIR']}/ray", object_store_memory=256 * 2**20, log_to_driver=False)
    quiet = {"enable_access_log": False}
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])}, logging_config=quiet)
    serve.run(Api.bind(Worker.bind()), logging_config=quiet)  # type: ignore[attr-defined]  # Ray's own gap
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
