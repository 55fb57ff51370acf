"""The way to the TaskStatus actor, from any process of the application."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError

from deployments.errors import AigeError, Unavailable
from deployments.tasks.batches import BETWEEN_PROCESSES, Answers, Batches
from deployments.tasks.messages import Message

RETRY_SECONDS = 0.5
"""How long a message that must be heard waits for an actor that is being replaced."""

R = TypeVar("R")


class TaskStatusClient:
    """Carries messages to the actor that `find` finds, each as its `Delivery` says.

    `find` raises `ValueError` where there is no such actor (yet). It blocks while Ray's head is away, so it runs in a
    thread; one, however many messages wait for it.
    """

    def __init__(
        self, find: Callable[[], ActorHandle[object]], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._find = find
        self._sleep = sleep
        self._found: ActorHandle[object] | None = None
        self._finding: asyncio.Future[ActorHandle[object]] | None = None
        self._batches: Batches[Message[object], object] = Batches(self._carry, pace=BETWEEN_PROCESSES)

    async def ask(self, message: Message[R]) -> R:
        """The reply. Raises what the handler raises on purpose, or `Unavailable`."""
        while True:
            try:
                return cast(R, await self._delivered(message))
            except Unavailable:
                if not message.delivery.until_heard:
                    raise
            await self._sleep(RETRY_SECONDS)

    async def _delivered(self, message: Message[object]) -> object:
        try:
            async with asyncio.timeout(message.delivery.patience_s):
                if message.delivery.batched:
                    return await self._batches.ask(message)
                (reply,) = await self._replies([message])
        except TimeoutError:
            raise Unavailable(
                "The task status actor does not answer; try again in a few seconds.", 2, "actor"
            ) from None
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _carry(self, messages: Sequence[Message[object]]) -> Answers[object]:
        yield list(enumerate(await self._replies(messages)))

    async def _replies(self, messages: Sequence[Message[object]]) -> list[object]:
        try:
            actor = self._found or await self._find_it()
            return cast(list[object], await actor.handle.remote(messages))
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, AigeError) else error) from None
        except (RayActorError, ValueError) as error:
            self._found = None
            raise Unavailable("The task status actor is restarting; try again in a few seconds.", 2, "actor") from error

    async def _find_it(self) -> ActorHandle[object]:
        if self._finding is None:
            self._finding = asyncio.ensure_future(asyncio.to_thread(self._find))
        finding = self._finding
        try:
            self._found = await asyncio.shield(finding)  # whoever gives up waiting takes it from nobody
        finally:
            if finding.done() and self._finding is finding:
                self._finding = None
        return self._found
