"""The task status actor as its callers see it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError

from deployments.errors import AigeError, Unavailable
from deployments.tasks.batches import Answers, Batches
from deployments.tasks.entry import Binding
from deployments.tasks.feed import Changes, Mark
from deployments.tasks.record import Status, Task, now
from deployments.tasks.runs import CalledOff
from deployments.tasks.work import Work

NAME = "TaskStatus"

ANSWER_SECONDS = 5
"""How long a request waits for the actor before it is answered with 503."""

RETRY_SECONDS = 0.5
"""How long what must be heard waits for an actor that is being replaced."""

WATCH_SECONDS = 20
"""A question for changes is answered at least this often: a mirror hears that the actor lives."""

Call = tuple[str, tuple[object, ...]]
"""A method of the actor, and its arguments."""


def namespace_of(app_name: str) -> str:
    """Where an application's actor is to be found."""
    return f"aige-{app_name}"


class TaskStatusClient:
    """The actor as its callers see it: the mirror's `Source`, and `Claims` and reports for the stages."""

    def __init__(self, app_name: str) -> None:
        self._namespace = namespace_of(app_name)
        self._known: ActorHandle[object] | None = None
        self._calls: Batches[Call, object] = Batches(self._together)

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

    async def changes(self, since: Mark | None) -> Changes[Task]:
        return cast(Changes[Task], await self._watched("changes", since))

    async def called_off(self, since: Mark | None) -> Changes[CalledOff]:
        return cast(Changes[CalledOff], await self._watched("called_off", since))

    async def advance(self, task_id: str, attempt: int, status: Status, work: Work | None) -> None:
        await self._call("advance", task_id, attempt, status, work)

    async def claim(self, task_id: str, attempt: int, stage: str, token: str) -> str | None:
        return cast(str | None, await self._heard(self._alone, "claim", task_id, attempt, stage, token))

    async def record(self, task_id: str, stage: str, token: str, receipt: str) -> None:
        await self._heard(self._call, "record", task_id, stage, token, receipt)

    async def release(self, task_id: str, stage: str, token: str) -> None:
        await self._heard(self._call, "release", task_id, stage, token)

    async def report(self, task_id: str, attempt: int, progress: str) -> None:
        await self._call("report", task_id, attempt, progress)

    async def is_wanted(self, task_id: str, attempt: int, *, gives_up: bool) -> bool:
        return cast(bool, await self._call("is_wanted", task_id, attempt, gives_up))

    async def _heard(self, call: Callable[..., Awaitable[object]], method: str, *args: object) -> object:
        """A call that may be repeated and must not be lost: where the actor is replaced, its successor is called.

        Ray does that by itself only where an actor restarts.
        """
        while True:
            try:
                return await call(method, *args)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _asked(self, method: str, *args: object) -> object:
        """A call that somebody waits for: refused if the actor does not answer soon."""
        return await _soon(self._call(method, *args), ANSWER_SECONDS + 1)

    async def _watched(self, feed: str, since: Mark | None) -> object:
        """A question that waits at the actor until there is something new."""
        return await _soon(self._alone(feed, since), WATCH_SECONDS + ANSWER_SECONDS)

    async def _call(self, method: str, *args: object) -> object:
        """A call that is answered soon: it travels together with others."""
        return await self._calls.ask((method, args))

    async def _together(self, calls: Sequence[Call]) -> Answers[object]:
        yield list(enumerate(cast(list[object], await self._alone("together", calls))))

    async def _alone(self, method: str, *args: object) -> object:
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


async def _soon(call: Awaitable[object], seconds: float) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        raise Unavailable("The task status actor does not answer; try again in a few seconds.", 2) from None
