"""Ingress: the FastAPI application on Ray Serve."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

from ray import serve
from starlette.types import ASGIApp

from deployments.api.answers import EnginesResponse
from deployments.api.app import Parts, ServiceEngines, build_api
from deployments.engines.base import Verb
from deployments.engines.loading import Choice, chosen_engines
from deployments.errors import Rate
from deployments.media.destinations import parse_allow_hosts
from deployments.media.open_media import open_store
from deployments.media.provenance.manifests import Manifests
from deployments.runtime import logs, metrics
from deployments.runtime.actor import DetachedActor, find_actor
from deployments.runtime.client import TaskStatusClient
from deployments.runtime.measures import follow_mirror
from deployments.runtime.nodes import check_node
from deployments.runtime.tracing import open_tracer
from deployments.settings import Environment, Settings
from deployments.spans import submission
from deployments.tasks.entry import Binding
from deployments.tasks.erasure import ErasureReport
from deployments.tasks.messages import (
    ANSWER_SECONDS,
    Ask,
    CancelTask,
    CheckCaller,
    CheckReady,
    EraseAvatar,
    FindBoundTask,
    GetOverview,
    ListTasks,
    SendWebhookAgain,
    SubmitTask,
    Taken,
)
from deployments.tasks.mirror import Mirror
from deployments.tasks.overview import Overview
from deployments.tasks.record import Task, now
from deployments.tasks.task_index import Page, Place, Wanted
from deployments.tasks.work import Work


class Ingress:
    """One replica of the API. It keeps the task status actor alive, and mirrors what that shows.

    `_stages` are bound to it so that Serve runs them; TaskStatus calls them.
    """

    async def __init__(self, settings: Settings, task_status: DetachedActor, _stages: object) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.install()
        environment = Environment()
        await asyncio.to_thread(check_node, settings, task_status.build)
        app_name = serve.get_replica_context().app_name
        actor = await task_status.started(app_name)
        ask = TaskStatusClient(lambda: find_actor(app_name)).ask
        mirror = Mirror(ask)
        self._background = [
            asyncio.ensure_future(task_status.keep_alive(actor, app_name)),
            asyncio.ensure_future(mirror.follow()),
            asyncio.ensure_future(follow_mirror(mirror)),
        ]
        refusals = metrics.REFUSALS.opened()
        tracer = open_tracer()
        engines = service_engines(chosen_engines(settings, environment))
        self._parts = Parts(
            settings=settings,
            backend=Tasks(ask, mirror, traced=tracer is not None),
            store=open_store(settings, environment),
            engines=engines,
            manifests=Manifests(environment.aige_c2pa_trust),
            allow=parse_allow_hosts(environment.aige_allow_hosts),
            api_keys=environment.api_keys,
            sends_webhooks=bool(environment.webhook_secrets),
            on_refusal=lambda reason: refusals.add(reason=reason),
            tracer=tracer,
        )

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return build_api(self._parts)


def service_engines(choice: Choice) -> ServiceEngines:
    """What the API tells of the engines in use."""
    shown = EnginesResponse.model_validate({verb: choice.shown(verb) for verb in Verb})
    return ServiceEngines(shown, generative=choice.generative)


class Tasks:
    """The routes' `Backend`: reads are answered by the mirror where it can, all else by the actor."""

    def __init__(self, ask: Ask, mirror: Mirror, *, traced: bool = False) -> None:
        self._ask = ask
        self._mirror = mirror
        self._traced = traced

    async def get(self, task_id: str) -> Task | None:
        return await self._mirror.get(task_id)

    def watch(self, task: Task) -> AsyncIterator[Task | None]:
        return self._mirror.watch(task)

    async def check_caller(self, caller: str, key: str | None) -> Rate | None:
        return await self._ask(CheckCaller(caller, key))

    async def submit(self, task: Task, work: Work, binding: Binding | None) -> Taken:
        # The actor refuses what it hears too late, so that a caller that is answered 503 has not started a task.
        until = now() + timedelta(seconds=ANSWER_SECONDS)
        if self._traced and (accepting := submission.get()):
            task = replace(task, traceparent=str(accepting))
        return await self._ask(SubmitTask(task, work, binding, until))

    async def page(self, wanted: Wanted, after: Place | None, limit: int) -> Page:
        return await self._ask(ListTasks(wanted, after, limit))

    async def overview(self) -> Overview:
        return await self._ask(GetOverview())

    async def bound(self, binding: Binding) -> Task | None:
        return await self._ask(FindBoundTask(binding))

    async def cancel(self, task_id: str) -> Task:
        return await self._ask(CancelTask(task_id))

    async def send_webhook_again(self, task_id: str) -> Task:
        return await self._ask(SendWebhookAgain(task_id))

    async def erase(self, caller: str, avatar_id: str) -> ErasureReport:
        return await self._ask(EraseAvatar(caller, avatar_id))

    async def check_ready(self) -> None:
        await self._ask(CheckReady())
