"""The TaskStatus actor's life: found, started, and replaced where it is of another version or hangs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, cast

import ray
from ray.actor import ActorClass, ActorHandle
from ray.exceptions import ActorDiedError, RayActorError

from deployments.settings import Settings

logger = logging.getLogger(__name__)

NAME = "TaskStatus"

PROBE_SECONDS = 1
RESTART_SECONDS = 0.5
"""Between two tries to start it."""


def namespace_of(app_name: str) -> str:
    """Where an application's actor is to be found."""
    return f"aige-{app_name}"


def find_actor(app_name: str) -> ActorHandle[object]:
    """The application's actor.

    Raises:
        ValueError: there is none (yet).
    """
    return ray.get_actor(NAME, namespace=namespace_of(app_name))


@dataclass(frozen=True)
class DetachedActor:
    """What `graph.py` binds for an actor, as `.bind` is for deployments: Serve neither starts nor replaces it, so each
    ingress replica does.

    `identity` tells the code and the settings that it is made from.
    """

    actor: type
    settings: Settings
    identity: str

    async def started(self, app_name: str) -> ActorHandle[object]:
        """The application's actor, with this identity, once it answers.

        A detached actor outlives the code that made it, and `get_if_exists` ignores both. So an actor of another
        identity is replaced: what it knew is in the journal, and its successor goes on with that.

        Raises:
            RayActorError: it cannot start; its cause says why.
        """
        while True:
            actor = self._found_or_made(app_name)
            try:
                if await actor.identity.remote() == self.identity:
                    return actor
            except RayActorError as error:
                if error.actor_init_failed:
                    raise
                await asyncio.sleep(RESTART_SECONDS)  # it was killed a moment ago
            else:
                ray.kill(actor)

    async def keep_alive(self, actor: ActorHandle[object], app_name: str) -> NoReturn:
        """Replaces the actor, for ever, where it has not answered for `deadlines.actor_s`.

        An actor that dies, Ray starts again by itself. One that is killed here never comes back: its successor is
        another actor. So an ingress that is late kills what is dead already, and never the successor.
        """
        patience = max(1, round(self.settings.deadlines.actor_s / PROBE_SECONDS))
        while True:
            if await hangs(actor.identity.options(max_task_retries=0).remote, patience):
                logger.error("The task status actor hangs: it is killed, and another one goes on.")
                ray.kill(actor)
            await asyncio.sleep(RESTART_SECONDS)
            actor = self._found_or_made(app_name)
            try:
                await actor.identity.remote()  # however long it takes to read the journal
            except RayActorError:
                logger.exception("The task status actor does not start; trying again.")

    def _found_or_made(self, app_name: str) -> ActorHandle[object]:
        options: ActorClass[object] = ray.remote(self.actor).options(
            name=NAME,
            namespace=namespace_of(app_name),
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=-1,  # a stage that reports while the actor restarts is heard afterwards
            max_concurrency=100_000,  # each long-poll holds one call
            enable_task_events=False,
        )
        return cast(ActorHandle[object], options.remote(self.settings, app_name))


async def hangs(probe: Callable[[], Awaitable[object]], patience: int, probe_s: float = PROBE_SECONDS) -> bool:
    """Waits until the actor hangs (True), or is dead for good (False). One that restarts is neither.

    It hangs when a probe has not been answered for `patience` times `probe_s` seconds. They are counted one by one: a
    process that was itself stopped or starved for long has waited once, and then hears the answer.
    """
    silent = 0
    answer = asyncio.ensure_future(probe())
    while silent < patience:
        await asyncio.wait({answer}, timeout=probe_s)
        if not answer.done():
            silent += 1
            continue
        if isinstance(answer.exception(), ActorDiedError):
            return False
        silent = 0
        await asyncio.sleep(probe_s)
        answer = asyncio.ensure_future(probe())
    answer.cancel()
    return True
