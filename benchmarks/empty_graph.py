"""A graph of as many processes as AIGE's that do nothing: what Ray Serve itself takes to start, and of memory."""

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve import Application

STAGES = 5
DONE = {"aige_task_id": "0", "status": "done"}

api = FastAPI()


class Idle:
    """A stage, or the actor."""


@serve.ingress(api)
class Entrance:
    """Answers what the benchmarks ask before they measure."""

    def __init__(self, *_stages: object) -> None:
        options = {"name": "idle", "lifetime": "detached", "get_if_exists": True, "num_cpus": 0}
        self._actor = ray.remote(Idle).options(**options).remote()

    @api.get("/api/v1/service")
    async def service(self) -> dict[str, str]:
        return {"engine": "none"}

    @api.post("/api/v1/avatar")
    @api.get("/api/v1/task/0/status")
    async def task(self) -> dict[str, str]:
        return DONE


def build(_settings: dict[str, object]) -> Application:
    """The application, whatever the settings."""
    placed = serve.deployment(ray_actor_options={"num_cpus": 0})
    return placed(Entrance).bind(*(placed(Idle).options(name=f"Idle{number}").bind() for number in range(STAGES)))
