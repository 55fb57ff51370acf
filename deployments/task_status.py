"""TaskStatus: the detached actor that holds the status map and supervises every task.

It is detached so that it outlives replicas and rolling updates: whoever calls a Serve deployment must live longer than
the call. Its callers reach it through `TaskStatusClient`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import cast

import ray
from ray import serve
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.handle import DeploymentHandle
from ray.util import metrics

from deployments import task_logging
from deployments.errors import AigeError, Unavailable
from deployments.settings import Settings
from deployments.tasks.record import Status, Task
from deployments.tasks.supervisor import Outcome, Supervisor
from deployments.tasks.work import Work

NAME = "TaskStatus"
WATCH_SECONDS = 20
"""A watch is answered at least this often, so that no call to the actor hangs for as long as a task runs."""


class TaskStatus:
    """The actor's face to the cluster; `Supervisor` does the work."""

    def __init__(self, settings: Settings, app_name: str) -> None:
        task_logging.install()
        task_logging.log_as_json(logging.getLogger("ray.serve"))
        self._app_name = app_name
        self._pipeline: DeploymentHandle[object] | None = None
        self._supervisor = Supervisor(settings, self._run, on_change=Measures().note)

    async def accept(self, task: Task, work: Work) -> Task:
        return self._supervisor.accept(task, work)

    async def get(self, task_id: str) -> Task | None:
        return self._supervisor.tasks.get(task_id)

    async def changed(self, task_id: str, seen: Task) -> Task | None:
        """The task as soon as it is no longer `seen`, or as it is after a while."""
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                return await self._supervisor.tasks.changed(task_id, seen)
        except TimeoutError:
            return seen

    async def advance(self, task_id: str, attempt: int, status: Status) -> None:
        self._supervisor.advance(task_id, attempt, status)

    async def _run(self, work: Work, attempt: int) -> Outcome:
        if self._pipeline is None:  # not in the constructor: the application may not be up yet
            self._pipeline = serve.get_deployment_handle("Pipeline", self._app_name)
        response = self._pipeline.run.remote(work, attempt)
        try:
            outcome: Outcome = await response
        except asyncio.CancelledError:
            response.cancel()  # type: ignore[no-untyped-call]  # Ray's own gap
            raise
        return outcome


class Measures:
    """The actor's metrics, named as Prometheus shows them (with `ray_` before)."""

    def __init__(self) -> None:
        self._ended = metrics.Counter(
            "aige_tasks_total", description="Tasks that have ended.", tag_keys=("operation", "outcome")
        )
        self._in_flight = metrics.Gauge(
            "aige_tasks_in_flight", description="Tasks that have not ended, by status.", tag_keys=("status",)
        )

    def note(self, task: Task, by_status: Mapping[Status, int]) -> None:
        """Called at each change of a task, with how many tasks show each status now."""
        if task.is_ended:
            outcome = task.failure.code if task.failure else task.status
            self._ended.inc(tags={"operation": task.operation, "outcome": outcome})
        for status in Status:
            if not status.is_terminal:
                self._in_flight.set(by_status[status], tags={"status": status})


def _namespace(app_name: str) -> str:
    return f"aige-{app_name}"


def start_task_status(settings: Settings, app_name: str) -> None:
    """Starts the actor of this application, unless it is running."""
    ray.remote(TaskStatus).options(
        name=NAME,
        namespace=_namespace(app_name),
        lifetime="detached",
        get_if_exists=True,
        num_cpus=0,
        max_restarts=-1,
        max_task_retries=-1,
        max_concurrency=100_000,  # each event stream holds one call
        enable_task_events=False,
    ).remote(settings, app_name)


class TaskStatusClient:
    """The actor as its callers see it: a `Backend` for the routes, and where the pipeline reports its stages."""

    def __init__(self, app_name: str) -> None:
        self._namespace = _namespace(app_name)
        self._known: ActorHandle[TaskStatus] | None = None

    async def accept(self, task: Task, work: Work) -> Task:
        return cast(Task, await self._ask("accept", task, work))

    async def get(self, task_id: str) -> Task | None:
        return cast(Task | None, await self._ask("get", task_id))

    async def watch(self, task: Task) -> AsyncIterator[Task]:
        yield task
        while not task.is_ended:
            newer = cast(Task | None, await self._ask("changed", task.id, task))
            if newer is None:
                return
            if newer != task:
                yield newer
            task = newer

    async def advance(self, task_id: str, attempt: int, status: Status) -> None:
        await self._ask("advance", task_id, attempt, status)

    async def _ask(self, method: str, *args: object) -> object:
        """Calls the actor; what it raises on purpose is raised here as itself."""
        try:
            if self._known is None:
                self._known = ray.get_actor(NAME, namespace=self._namespace)
            return await getattr(self._known, method).remote(*args)
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, AigeError) else error) from None
        except (RayActorError, ValueError) as error:  # ValueError: there is no such actor (yet)
            self._known = None
            raise Unavailable("The task status actor is restarting; try again in a few seconds.", 2) from error
