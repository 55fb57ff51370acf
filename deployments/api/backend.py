"""What the routes need: in the service, the TaskStatus actor; in a test, an orchestrator in the same process."""

from collections.abc import AsyncIterator
from typing import Protocol

from deployments.errors import Rate
from deployments.tasks.entry import Binding
from deployments.tasks.erasure import ErasureReport
from deployments.tasks.messages import Taken
from deployments.tasks.overview import Overview
from deployments.tasks.record import Task
from deployments.tasks.task_index import Page, Place, Wanted
from deployments.tasks.work import Work


class Backend(Protocol):
    """Where tasks are accepted and asked about. Every call may raise `Unavailable`."""

    async def check_caller(self, caller: str, key: str | None) -> Rate | None:
        """Where the caller stands within the minute, if it may start another task, or has used this idempotency key.

        Raises:
            LimitReached: it may not.
        """
        ...

    async def submit(self, task: Task, work: Work, binding: Binding | None) -> Taken:
        """Takes the task on; when this returns, it is safely accepted.

        Returns:
            The task, or the one that was accepted earlier with the same idempotency key and request; and where its
            caller now stands.

        Raises:
            LimitReached: its caller may start no more.
            Conflict: the idempotency key was used with a different request.
        """
        ...

    async def get(self, task_id: str) -> Task | None: ...

    async def page(self, wanted: Wanted, after: Place | None, limit: int) -> Page:
        """A page of tasks: see `TaskIndex.page`."""
        ...

    async def overview(self) -> Overview:
        """What the service does for all callers; may be a second old."""
        ...

    async def bound(self, binding: Binding) -> Task | None:
        """The task that was accepted with this idempotency key and request.

        Raises:
            Conflict: the idempotency key was used with a different request.
        """
        ...

    async def cancel(self, task_id: str) -> Task:
        """Ends the task as `cancelled`.

        Raises:
            NotFound: there is no such task.
            Conflict: it has already ended.
        """
        ...

    async def send_webhook_again(self, task_id: str) -> Task:
        """Begins the schedule of an ended task's webhook anew.

        Raises:
            NotFound: there is no such task.
            Conflict: it has not ended, or has no webhook.
        """
        ...

    async def erase(self, caller: str, avatar_id: str) -> ErasureReport:
        """Erases all that is kept about a caller's avatar.

        Raises:
            NotFound: nothing is known of it.
        """
        ...

    async def check_ready(self) -> None:
        """Returns if tasks can be accepted; `Unavailable` says what is missing."""
        ...

    def watch(self, task: Task) -> AsyncIterator[Task | None]:
        """`task` at once, then each newer state of it, up to and including the final one; None while nothing is new."""
        ...
