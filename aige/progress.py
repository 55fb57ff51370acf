"""How tasks get on: on a terminal a bar each, with its status and time; elsewhere a line whenever a status changes."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from deployments.api.answers import TaskResponse
from deployments.tasks.operations import OPERATIONS
from deployments.tasks.record import Operation, Status
from scripts.terminal import can_redraw


class Progress:
    """The lines of several tasks. Any thread may move one on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[status]}"),
            console=console,
            disable=not can_redraw(console),
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def line(self, operation: str) -> Callable[[TaskResponse], None]:
        """A line for one task; what is returned is told of each change."""
        statuses = [Status.PENDING, *(step.status for step in OPERATIONS[Operation(operation)]), Status.DONE]
        line = self._bars.add_task(operation, total=len(statuses) - 1, status=Status.PENDING)
        started, shown = time.monotonic(), [Status.ERROR]

        def changed(task: TaskResponse) -> None:
            if task.status in statuses:
                self._bars.update(line, completed=statuses.index(task.status))
            self._bars.update(line, status=f"{task.status} {task.progress or ''}")
            if task.status is not shown[0] and not can_redraw(self._console):
                self._console.print(f"{operation:<10} {time.monotonic() - started:6.1f} s  {task.status}")
            shown[0] = task.status

        return changed
