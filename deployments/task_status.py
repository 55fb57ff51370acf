"""TaskStatus: the detached actor that holds the status map and supervises every task.

It is detached so that it outlives replicas and rolling updates: whoever calls a Serve deployment must live longer than
the call. Its callers reach it through `deployments.task_status_client`.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn, cast

import ray
from ray import serve
from ray.actor import ActorHandle
from ray.serve.handle import DeploymentHandle
from ray.util import metrics

from deployments import task_logging
from deployments.errors import AigeError
from deployments.settings import Environment, Settings
from deployments.task_status_client import NAME, WATCH_SECONDS, Call, namespace_of
from deployments.tasks.attempt import Outcome
from deployments.tasks.batches import Answers, Batches
from deployments.tasks.entry import Binding
from deployments.tasks.feed import Changes, Feed, Mark
from deployments.tasks.opening import open_journal
from deployments.tasks.record import Status, Task
from deployments.tasks.runs import CalledOff
from deployments.tasks.status_map import StatusMap
from deployments.tasks.supervisor import Supervisor
from deployments.tasks.work import Work

logger = logging.getLogger("ray.serve")

MEASURE_SECONDS = 5


class TaskStatus:
    """The actor's face to the cluster; `Supervisor` does the work."""

    async def __init__(self, settings: Settings, app_name: str) -> None:  # type: ignore[misc]  # Ray awaits it
        task_logging.install()
        task_logging.log_as_json(logger)
        self._settings = settings
        self._app_name = app_name
        self._pipeline: DeploymentHandle[object] | None = None
        self._changes = Feed[Task]()
        self._called_off = Feed[CalledOff]()
        self._runs = Batches[Work, Outcome](self._send, size=lambda work: work.size)
        self._measures = Measures()
        journal = open_journal(settings.journal, Environment().aige_data_dir)
        self._supervisor = Supervisor(settings, journal, self._run, on_change=self._changed)
        await self._supervisor.recover()
        self._measuring = asyncio.create_task(self._measures.follow(self._supervisor.tasks))

    async def identity(self) -> str:
        """What this actor was made from; see `identity_of`."""
        return identity_of(self._settings)

    async def accept(self, task: Task, work: Work, binding: Binding | None, until: datetime) -> Task:
        return await self._supervisor.accept(task, work, binding, until)

    async def bound(self, binding: Binding) -> Task | None:
        return await self._supervisor.bound(binding)

    async def get(self, task_id: str) -> Task | None:
        return self._supervisor.tasks.get(task_id)

    async def changes(self, since: Mark | None) -> Changes[Task]:
        return await self._changes.since(since, WATCH_SECONDS)

    async def called_off(self, since: Mark | None) -> Changes[CalledOff]:
        return await self._called_off.since(since, WATCH_SECONDS)

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

    async def together(self, calls: Sequence[Call]) -> list[object]:
        """Makes several calls at once; each is answered with what its method returns or raises."""
        answers = await asyncio.gather(*(getattr(self, name)(*args) for name, args in calls), return_exceptions=True)
        return [_sendable(answer) for answer in answers]

    def _changed(self, task: Task) -> None:
        self._changes.append(task)
        self._measures.note(task)

    async def _run(self, work: Work) -> Outcome:
        task_id, attempt = work.task_id, work.attempt
        if attempt > 1:
            self._called_off.append(CalledOff(task_id, attempt - 1))
        running = self._runs.ask(work)
        del work  # it may hold large pictures, which the pipeline has now
        try:
            return await running
        except asyncio.CancelledError:
            self._called_off.append(CalledOff(task_id, attempt))
            raise

    async def _send(self, works: Sequence[Work]) -> Answers[Outcome]:
        if self._pipeline is None:  # not in the constructor: the application may not be up yet
            self._pipeline = serve.get_deployment_handle("Pipeline", self._app_name).options(stream=True)
        answering = cast(Answers[Outcome], self._pipeline.run.remote(works))
        del works
        try:
            async for answers in answering:
                yield answers
        except Exception:
            self._pipeline = None  # the application may be another one by the next attempt
            raise


class Measures:
    """The actor's metrics, named as Prometheus shows them (with `ray_` before)."""

    def __init__(self) -> None:
        self._ended = metrics.Counter(
            "aige_tasks_total", description="Tasks that have ended.", tag_keys=("operation", "outcome")
        )
        self._in_flight = metrics.Gauge(
            "aige_tasks_in_flight", description="Tasks that have not ended, by status.", tag_keys=("status",)
        )

    def note(self, task: Task) -> None:
        """Called at each change of a task."""
        if task.is_ended:
            outcome = task.failure.code if task.failure else task.status
            self._ended.inc(tags={"operation": task.operation, "outcome": outcome})

    async def follow(self, shown: StatusMap) -> NoReturn:
        """Measures what is in flight now and then, for ever: at each change, it would cost more than the change."""
        while True:
            for status in Status:
                if not status.is_terminal:
                    self._in_flight.set(shown.by_status[status], tags={"status": status})
            await asyncio.sleep(MEASURE_SECONDS)


def _sendable(answer: object) -> object:
    """What certainly pickles: one answer that does not would take its whole batch with it."""
    if isinstance(answer, BaseException) and not isinstance(answer, AigeError):
        logger.error("A call of the task status actor broke.", exc_info=answer)
        return RuntimeError(repr(answer))
    return answer


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
        namespace=namespace_of(app_name),
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
