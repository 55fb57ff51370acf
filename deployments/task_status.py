"""TaskStatus: the detached actor that holds the status map and walks every task through its stages.

It is detached so that it outlives replicas and rolling updates: whoever calls a Serve deployment must live longer than
the call. Other processes reach it through `deployments.runtime.client`.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, cast

from ray import serve
from ray.serve.handle import DeploymentHandle
from ray.util import metrics

from deployments.errors import AigeError
from deployments.runtime import logs
from deployments.settings import Environment, Settings
from deployments.tasks.batches import Answers
from deployments.tasks.messages import Message
from deployments.tasks.open_journal import open_journal
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task
from deployments.tasks.status_map import StatusMap
from deployments.tasks.work import Outcome, StepRequest

logger = logging.getLogger(__name__)

MEASURE_SECONDS = 5


class TaskStatus:
    """The actor's face to the cluster; `Orchestrator` does the work."""

    async def __init__(self, settings: Settings, app_name: str) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.install_in_actor()
        self._identity = identity_of(settings)
        measures = Measures()
        journal = open_journal(settings.journal, Environment().aige_data_dir)
        self._orchestrator = Orchestrator(settings, journal, StageHandles(app_name).send, on_change=measures.note)
        await self._orchestrator.recover()
        self._measuring = asyncio.create_task(measures.follow(self._orchestrator.tasks))

    async def identity(self) -> str:
        """What this actor was made from; see `identity_of`."""
        return self._identity

    async def handle(self, messages: Sequence[Message[object]]) -> list[object]:
        """Handles messages at once: the reply to each, or what its handler raised."""
        handling = (message.handle(self._orchestrator) for message in messages)
        return [_sendable(reply) for reply in await asyncio.gather(*handling, return_exceptions=True)]


class StageHandles:
    """The stages' handles, looked up when they are first needed: the application may not be up yet."""

    def __init__(self, app_name: str) -> None:
        self._app_name = app_name
        self._handles: dict[str, DeploymentHandle[object]] = {}

    async def send(self, stage: str, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        """See `deployments.tasks.stage_client.Send`."""
        if stage not in self._handles:
            self._handles[stage] = serve.get_deployment_handle(stage, self._app_name).options(stream=True)
        answering = cast(Answers[Outcome], self._handles[stage].handle.remote(requests))
        del requests
        try:
            async for answers in answering:
                yield answers
        except Exception:
            self._handles.pop(stage, None)  # the application may be another one by the next attempt
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


def _sendable(reply: object) -> object:
    """What certainly pickles: one reply that does not would take its whole batch with it."""
    if isinstance(reply, BaseException) and not isinstance(reply, AigeError):
        logger.error("The handler of a message broke.", exc_info=reply)
        return RuntimeError(repr(reply))
    return reply


def identity_of(settings: Settings) -> str:
    """A digest of what an actor is made from: this project's code, and its settings."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
