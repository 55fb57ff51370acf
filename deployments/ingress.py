"""Ingress: the FastAPI application on Ray Serve."""

import asyncio

from ray import serve
from starlette.types import ASGIApp

from deployments import task_logging
from deployments.api.app import Parts, build_api
from deployments.engines.loading import checked_engine
from deployments.media.destinations import parse_allow_hosts
from deployments.media.opening import open_store
from deployments.settings import Environment, Settings
from deployments.task_status import start_task_status
from deployments.task_status_client import TaskStatusClient
from deployments.tasks.entry import Binding
from deployments.tasks.mirror import Mirror
from deployments.tasks.record import Task
from deployments.tasks.work import Work


class Ingress:
    """One replica of the API. It starts the task status actor if none is running, and mirrors what that shows."""

    async def __init__(self, settings: Settings, _pipeline: object) -> None:  # type: ignore[misc]  # Ray awaits it
        task_logging.install()
        environment = Environment()
        app_name = serve.get_replica_context().app_name
        await start_task_status(settings, app_name)
        tasks = Tasks(TaskStatusClient(app_name))
        self._following = asyncio.create_task(tasks.follow())
        engine = checked_engine(settings, environment)
        self._parts = Parts(
            settings=settings,
            backend=tasks,
            store=open_store(settings, environment),
            engine=engine.name,
            generative=engine.generative,
            allow=parse_allow_hosts(environment.aige_allow_hosts),
            api_keys=environment.api_keys,
        )

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return build_api(self._parts)


class Tasks:
    """The routes' `Backend`: what is asked comes from the mirror where it can, all else from the actor."""

    def __init__(self, actor: TaskStatusClient) -> None:
        self._actor = actor
        self._mirror = Mirror(actor)
        self.follow = self._mirror.follow
        self.get = self._mirror.get
        self.watch = self._mirror.watch
        self.bound = actor.bound

    async def accept(self, task: Task, work: Work, binding: Binding | None) -> Task:
        return self._noted(await self._actor.accept(task, work, binding))

    async def cancel(self, task_id: str) -> Task:
        return self._noted(await self._actor.cancel(task_id))

    def _noted(self, task: Task) -> Task:
        self._mirror.note(task)
        return task
