"""The TaskStatus actor's life: found, started, and replaced where it is of another version or hangs.

Ray's calls that ask the head wait for it: while it is away, for a minute or two. So they run in threads.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, cast

import ray
from ray.actor import ActorClass, ActorHandle
from ray.exceptions import ActorDiedError, RayActorError, RayError

from deployments.errors import SettingsError
from deployments.runtime.nodes import count_nodes
from deployments.settings import Settings

logger = logging.getLogger(__name__)

NAME = "TaskStatus"

PROBE_SECONDS = 1
RESTART_SECONDS = 0.5
"""Between two tries to start it."""
MOST_REPLACED = 5
"""An ingress that is on its way out may start the actor of its own identity once more, but not for ever."""


def namespace_of(app_name: str) -> str:
    """Where an application's actor is to be found."""
    return f"aige-{app_name}"


def find_actor(app_name: str) -> ActorHandle[object]:
    """The application's actor.

    Raises:
        ValueError: there is none (yet).
    """
    return ray.get_actor(NAME, namespace=namespace_of(app_name))


def identity_of(settings: Settings, build: str) -> str:
    """What an actor is made from: a build of this project, and the settings, as a digest."""
    return f"{build}, settings {hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:12]}"


def cpus(nodes: int) -> float:
    """What the actor asks for. Where there are other nodes, a sliver keeps it off a head that has no CPUs to give."""
    return 0.001 if nodes > 1 else 0


def find_or_make(wanted: "DetachedActor", app_name: str) -> ActorHandle[object]:
    """The application's actor, whatever its identity; made where there is none. Blocks while the head is away."""
    options: ActorClass[object] = ray.remote(wanted.actor).options(
        name=NAME,
        namespace=namespace_of(app_name),
        lifetime="detached",
        get_if_exists=True,
        num_cpus=cpus(count_nodes()),
        max_restarts=-1,
        max_task_retries=-1,  # a stage that reports while the actor restarts is heard afterwards
        max_concurrency=100_000,  # each long-poll holds one call
        enable_task_events=False,
    )
    return cast(ActorHandle[object], options.remote(wanted.settings, app_name, wanted.build))


def kill(actor: ActorHandle[object]) -> None:
    """Ends an actor for good. Blocks while the head is away."""
    ray.kill(actor)


@dataclass(frozen=True)
class DetachedActor:
    """What `graph.py` binds for an actor, as `.bind` is for deployments: Serve neither starts nor replaces it, so each
    ingress replica does.

    `build` is the one that was deployed; see `deployments.runtime.build`.
    """

    actor: type
    settings: Settings
    build: str
    find_or_make: Callable[["DetachedActor", str], ActorHandle[object]] = find_or_make
    kill: Callable[[ActorHandle[object]], None] = kill

    async def started(self, app_name: str) -> ActorHandle[object]:
        """The application's actor, with this identity, once it answers.

        A detached actor outlives the code that made it, and `get_if_exists` ignores both. So an actor of another
        identity is replaced: what it knew is in the journal, and its successor goes on with that.

        Raises:
            RayActorError: it cannot start; its cause says why.
            SettingsError: others start it with another identity, again and again.
        """
        replaced, identity = 0, identity_of(self.settings, self.build)
        while True:
            actor = await self._found_or_made(app_name)
            try:
                found = await actor.identity.remote()
            except RayActorError as error:
                if error.actor_init_failed:
                    raise
                await asyncio.sleep(RESTART_SECONDS)  # it was killed a moment ago
                continue
            if found == identity:
                return actor
            if replaced == MOST_REPLACED:
                raise SettingsError(
                    f"two versions of AIGE run in one cluster: this is {identity}, and another process starts the "
                    f"task status actor of {found} again and again; end one of them"
                )
            await asyncio.to_thread(self.kill, actor)
            replaced += 1

    async def keep_alive(self, actor: ActorHandle[object], app_name: str) -> NoReturn:
        """Replaces the actor, for ever, where it has not answered for `deadlines.actor_s`.

        An actor that dies, Ray starts again by itself. One that is killed here never comes back: its successor is
        another actor. So an ingress that is late kills what is dead already, and never the successor.
        """
        patience = max(1, round(self.settings.deadlines.actor_s / PROBE_SECONDS))
        while True:
            if await hangs(actor.identity.options(max_task_retries=0).remote, patience):
                logger.error("The task status actor hangs: it is killed, and another one goes on.")
                await asyncio.to_thread(self.kill, actor)
            await asyncio.sleep(RESTART_SECONDS)
            try:
                actor = await self._found_or_made(app_name)
                await actor.identity.remote()  # however long it takes to read the journal
            except RayError:
                logger.exception("The task status actor does not start; trying again.")

    async def _found_or_made(self, app_name: str) -> ActorHandle[object]:
        return await asyncio.to_thread(self.find_or_make, self, app_name)


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
