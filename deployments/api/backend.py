"""What the routes need from behind them. In the service it is the TaskStatus actor; in a test, a supervisor at hand."""

from collections.abc import AsyncIterator
from typing import Protocol

from deployments.tasks.record import Task
from deployments.tasks.work import Work


class Backend(Protocol):
    """Where tasks are accepted and asked about. Every call may raise `Unavailable`."""

    async def accept(self, task: Task, work: Work) -> Task:
        """Takes the task on; when this returns, it is safely accepted."""
        ...

    async def get(self, task_id: str) -> Task | None: ...

    def watch(self, task: Task) -> AsyncIterator[Task]:
        """`task` at once, then each newer state of it, up to and including the final one."""
        ...
