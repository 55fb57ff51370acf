"""TaskStatus: the detached actor that holds the status map and supervises every task.

It is detached so that it outlives replicas and rolling updates: whoever calls a Serve deployment must live longer than
the call. Its callers reach it through `TaskStatusClient`.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import ray
from ray import serve
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.handle import DeploymentHandle
from ray.util import metrics

from deployments import task_logging
from deployments.errors import AigeError, Unavailable
from deployments.settings import Environment, Settings
from deployments.tasks.attempt import Outcome
from deployments.tasks.entry import Binding
from deployments.tasks.opening import open_journal
from deployments.tasks.record import Status, Task, now
from deployments.tasks.status_map import StatusMap
from deployments.tasks.supervisor import Supervisor
from deployments.tasks.work import Work

NAME = "TaskStatus"
logger = logging.getLogger("ray.serve")

ANSWER_SECONDS = 5
"""How long a request waits for the actor before it is answered with 503."""

WATCH_SECONDS = 20
"""A watch is answered at least this often, so that no call to the actor hangs for as long as a task runs."""


class TaskStatus:
    """The actor's face to the cluster; `Supervisor` does the work."""

    async def __init__(self, settings: Settings, app_name: str) -> None:  # type: ignore[misc]  # Ray awaits it
        task_logging.install()
        task_logging.log_as_json(logger)
        self._settings = settings
        self._app_name = app_name
        self._pipeline: DeploymentHandle[object] | None = None
        journal = open_journal(settings.journal, Environment().aige_data_dir)
        self._supervisor = Supervisor(settings, journal, self._run, on_change=Measures().note)
        await self._supervisor.recover()

    async def identity(self) -> str:
        """What this actor was made from; see `identity_of`."""
        return identity_of(self._settings)

    async def accept(self, task: Task, work: Work, binding: Binding | None, until: datetime) -> Task:
        return await self._supervisor.accept(task, work, binding, until)

    async def bound(self, binding: Binding) -> Task | None:
        return await self._supervisor.bound(binding)

    async def get(self, task_id: str) -> Task | None:
        return self._supervisor.tasks.get(task_id)

    async def changed(self, task_id: str, seen: Task) -> Task | None:
        """The task as soon as it is no longer `seen`, or as it is after a while."""
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                return await self._supervisor.tasks.changed(task_id, seen)
        except TimeoutError:
            return seen

    async def cancel(self, task_id: str) -> Task:
        return await self._supervisor.cancel(task_id)

    async def advance(self, task_id: str, attempt: int, status: Status, work: Work | None) -> None:
        await self._supervisor.advance(task_id, attempt, status, work)

    async def claim(self, task_id: str, attempt: int, stage: str, token: str) -> str | None:
        return await self._supervisor.paid_submits.claim(task_id, attempt, stage, token)

    async def record(self, task_id: str, stage: str, token: str, receipt: str) -> None:
        await self._supervisor.paid_submits.record(task_id, stage, token, receipt)

    async def release(self, task_id: str, stage: str, token: str) -> None:
        await self._supervisor.paid_submits.release(task_id, stage, token)

    async def report(self, task_id: str, attempt: int, progress: str) -> None:
        await self._supervisor.paid_submits.report(task_id, attempt, progress)

    async def is_wanted(self, task_id: str, attempt: int, gives_up: bool) -> bool:
        return await self._supervisor.paid_submits.is_wanted(task_id, attempt, gives_up=gives_up)

    async def _run(self, work: Work) -> Outcome:
        if self._pipeline is None:  # not in the constructor: the application may not be up yet
            self._pipeline = serve.get_deployment_handle("Pipeline", self._app_name)
        response = self._pipeline.run.remote(work)
        del work  # it may hold large pictures, which the pipeline has now
        try:
            outcome: Outcome = await response
        except asyncio.CancelledError:
            response.cancel()  # type: ignore[no-untyped-call]  # Ray's own gap
            raise
        except Exception:
            self._pipeline = None  # the application may be another one by the next attempt
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

    def note(self, task: Task, shown: StatusMap) -> None:
        """Called at each change of a task."""
        if task.is_ended:
            outcome = task.failure.code if task.failure else task.status
            self._ended.inc(tags={"operation": task.operation, "outcome": outcome})
        for status in Status:
            if not status.is_terminal:
                self._in_flight.set(shown.by_status[status], tags={"status": status})


def _namespace(app_name: str) -> str:
    return f"aige-{app_name}"


def identity_of(settings: Settings) -> str:
    """A digest of what an actor is made from: this project's code, and its settings."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


async def start_task_status(settings: Settings, app_name: str) -> None:
    """Has the actor of this application run, with this code and these settings.

    A detached actor outlives the code that made it, and `get_if_exists` ignores both. So an actor of another identity
    is replaced: whatever it knew is in the journal, and its successor goes on with that.
    """
    options = ray.remote(TaskStatus).options(
        name=NAME,
        namespace=_namespace(app_name),
        lifetime="detached",
        get_if_exists=True,
        num_cpus=0,
        max_restarts=-1,
        max_task_retries=-1,  # a stage that reports while the actor restarts is heard afterwards
        max_concurrency=100_000,  # each event stream holds one call
        enable_task_events=False,
    )
    while True:
        actor = cast(ActorHandle[object], options.remote(settings, app_name))
        if await actor.identity.remote() == identity_of(settings):
            return
        ray.kill(actor)


class TaskStatusClient:
    """The actor as its callers see it: a `Backend` for the routes, and `Claims` and reports for the stages."""

    def __init__(self, app_name: str) -> None:
        self._namespace = _namespace(app_name)
        self._known: ActorHandle[TaskStatus] | None = None

    async def accept(self, task: Task, work: Work, binding: Binding | None) -> Task:
        # The actor refuses what it hears too late, so that a caller that is answered 503 has not started a task.
        until = now() + timedelta(seconds=ANSWER_SECONDS)
        return cast(Task, await self._asked("accept", task, work, binding, until))

    async def bound(self, binding: Binding) -> Task | None:
        return cast(Task | None, await self._asked("bound", binding))

    async def get(self, task_id: str) -> Task | None:
        return cast(Task | None, await self._asked("get", task_id))

    async def cancel(self, task_id: str) -> Task:
        return cast(Task, await self._asked("cancel", task_id))

    async def watch(self, task: Task) -> AsyncIterator[Task]:
        yield task
        while not task.is_ended:
            newer = cast(Task | None, await self._call("changed", task.id, task))
            if newer is None:
                return
            if newer != task:
                yield newer
            task = newer

    async def advance(self, task_id: str, attempt: int, status: Status, work: Work | None) -> None:
        await self._call("advance", task_id, attempt, status, work)

    async def claim(self, task_id: str, attempt: int, stage: str, token: str) -> str | None:
        return cast(str | None, await self._call("claim", task_id, attempt, stage, token))

    async def record(self, task_id: str, stage: str, token: str, receipt: str) -> None:
        await self._call("record", task_id, stage, token, receipt)

    async def release(self, task_id: str, stage: str, token: str) -> None:
        await self._call("release", task_id, stage, token)

    async def report(self, task_id: str, attempt: int, progress: str) -> None:
        await self._call("report", task_id, attempt, progress)

    async def is_wanted(self, task_id: str, attempt: int, *, gives_up: bool) -> bool:
        return cast(bool, await self._call("is_wanted", task_id, attempt, gives_up))

    async def _asked(self, method: str, *args: object) -> object:
        """A call that somebody waits for: refused if the actor does not answer soon."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS + 1):
                return await self._call(method, *args)
        except TimeoutError:
            raise Unavailable("The task status actor does not answer; try again in a few seconds.", 2) from None

    async def _call(self, method: str, *args: object) -> object:
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
