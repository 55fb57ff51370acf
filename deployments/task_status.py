"""TaskStatus: the detached actor that holds the status map and runs the steps of every task.

It is detached so that it outlives replicas and rolling updates: whoever calls a Serve deployment must live longer than
the call. Other processes reach it through `deployments.runtime.client`.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn, cast

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.errors import AigeError, Unavailable
from deployments.runtime import logs
from deployments.runtime.actor import identity_of
from deployments.runtime.measures import TaskMeasures
from deployments.runtime.nodes import check_node, should_leave
from deployments.runtime.tracing import open_tracer
from deployments.settings import Environment, Settings
from deployments.tasks.batches import Answers, Batches
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere
from deployments.tasks.lease import Lease
from deployments.tasks.measured_journal import MeasuredJournal
from deployments.tasks.messages import Message
from deployments.tasks.open_journal import open_journal
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.owner import Owner
from deployments.tasks.webhook import Answer
from deployments.tasks.webhooks import WebhookCall
from deployments.tasks.work import Outcome, StepRequest

logger = logging.getLogger(__name__)

_UPLOADER = "Uploader"
_PICKLED = "pickle"
"""How messages are serialized. Serve's own choice, cloudpickle, takes three times as long; it also takes functions."""
_GARBAGE = 3_000
"""So many new objects let Python search for cyclic garbage. At its own 700, it took a tenth of this process's CPU."""
ERASE_SECONDS = 45
LOOK_SECONDS = 3
"""Between two checks whether the node is being drained."""


class TaskStatus:
    """The actor's face to the cluster; `Owner` and `Orchestrator` do the work."""

    async def __init__(self, settings: Settings, app_name: str, build: str) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.install_in_actor()
        gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
        await asyncio.to_thread(check_node, settings, build)
        self._identity = identity_of(settings, build)
        measures, environment = TaskMeasures(open_tracer()), Environment()
        place = open_journal(environment.journal(settings), environment.aige_data_dir, app_name)
        journal = MeasuredJournal(place, measures.journal)
        lease = Lease(journal, ray.get_runtime_context().get_session_name())
        stages = StageHandles(app_name)
        orchestrator = Orchestrator(
            settings,
            journal,
            stages.send,
            deliver=Batches[WebhookCall, Answer](stages.deliver).ask,
            erase_elsewhere=stages.erase,
            on_change=measures.note,
            on_lost=measures.lost,
            on_webhook=measures.webhook,
            watcher=measures,
            good_for=lease.told_s,
            watch_s=lease.watch_s,
        )
        self._owner = Owner(orchestrator, journal, lease)
        await self._owner.begin()
        self._background = [
            asyncio.create_task(self._serve()),
            asyncio.create_task(measures.follow(orchestrator, lease)),
            asyncio.create_task(leave_a_draining_node()),
        ]

    async def identity(self) -> str:
        """What this actor was made from; see `deployments.runtime.actor.identity_of`."""
        return self._identity

    async def handle(self, messages: Sequence[Message[object]]) -> list[object]:
        """Handles messages at once: the reply to each, or what its handler raised."""
        handling = (self._owner.handle(message) for message in messages)
        return [_sendable(reply) for reply in await asyncio.gather(*handling, return_exceptions=True)]

    async def _serve(self) -> NoReturn:
        """Ends the process once it has lost the journal: Ray starts another, which finds out who owns it."""
        try:
            await self._owner.serve()
        except Exception:
            logger.exception("The owner of the journal broke; this process ends.")
        finally:
            logging.shutdown()
            os._exit(1)


async def leave_a_draining_node() -> NoReturn:
    """Ends this process soon after its node begins to drain: Ray starts it on another node within seconds.

    Otherwise it would stay until the node is killed, because it always has something to do.
    """
    while not await asyncio.to_thread(should_leave):  # noqa: ASYNC110 - Ray has no event for it
        await asyncio.sleep(LOOK_SECONDS)
    logger.warning("The node of the task status actor is being drained: it goes on on another one.")
    logging.shutdown()
    os._exit(1)  # an orderly end would count as wanted, and Ray would not start it again


class StageHandles:
    """The stages' handles, looked up when they are first needed: the application may not be up yet."""

    def __init__(self, app_name: str) -> None:
        self._app_name = app_name
        self._handles: dict[str, DeploymentHandle[object]] = {}
        self._looking_up = asyncio.Lock()

    async def send(self, stage: str, requests: Sequence[StepRequest]) -> Answers[Outcome]:
        """See `deployments.tasks.stage_client.Send`."""
        async with self._looked_up(stage) as handle:
            answering = cast(Answers[Outcome], handle.handle.remote(requests))
            del requests
            async for answers in answering:
                yield answers

    async def deliver(self, calls: Sequence[WebhookCall]) -> Answers[Answer]:
        """Sends webhooks through the Uploader: TLS and HTTP for thousands of them would hold up all tasks here."""
        async with self._looked_up(_UPLOADER) as handle:
            async for answers in cast(Answers[Answer], handle.deliver.remote(calls)):
                yield answers

    async def erase(self, what: Elsewhere) -> ErasedElsewhere:
        """See `EraseElsewhere`."""
        try:
            async with self._looked_up(_UPLOADER) as handle:
                async with asyncio.timeout(ERASE_SECONDS):
                    answer = await handle.options(stream=False).erase.remote(what)
        except Exception as error:
            logger.warning("An erasure could not be finished: %s", type(error).__name__)
            raise Unavailable("The erasure could not be finished; ask for it again in a few seconds.", 5) from None
        return cast(ErasedElsewhere, answer)

    @asynccontextmanager
    async def _looked_up(self, stage: str) -> AsyncIterator[DeploymentHandle[object]]:
        """A stage's handle. After a failure the next call looks it up anew: the application may have been replaced."""
        handle = self._handles.get(stage) or await self._look_up(stage)
        try:
            yield handle
        except Exception:
            self._handles.pop(stage, None)
            raise

    async def _look_up(self, stage: str) -> DeploymentHandle[object]:
        """In one thread at a time: the look-up asks Serve's controller, and blocks while that is away."""
        async with self._looking_up:
            if stage not in self._handles:
                found = await asyncio.to_thread(serve.get_deployment_handle, stage, self._app_name)
                self._handles[stage] = found.options(
                    stream=True, request_serialization=_PICKLED, response_serialization=_PICKLED
                )
            return self._handles[stage]


def _sendable(reply: object) -> object:
    """The reply, or an error that can be pickled in its place: one that cannot would make its whole batch fail."""
    if isinstance(reply, BaseException) and not isinstance(reply, AigeError):
        logger.error("The handler of a message broke.", exc_info=reply)
        return RuntimeError(repr(reply))
    return reply
