"""The table of operations."""

from datetime import UTC, datetime

import pytest

from deployments.tasks.operations import OPERATIONS
from deployments.tasks.record import Operation, Status, Task

START = datetime(2026, 1, 1, tzinfo=UTC)


def new_task(operation: Operation = Operation.AVATAR) -> Task:
    return Task.accepted(
        task_id="t", avatar_id="a", operation=operation, read_url="https://r.example", engine="local", at=START
    )


@pytest.mark.parametrize("operation", Operation)
def test_an_operation_shows_its_stages_in_order(operation: Operation) -> None:
    """Walking the table of operations shows each status once, in order, from `pending` to `done`."""
    task = new_task(operation).attempted()
    for step in OPERATIONS[operation]:
        task = task.advanced(1, step.status, START)
    shown = [status for status, _ in task.finished(1, START).timeline]
    steps = [step.status for step in OPERATIONS[operation] if step.status is not Status.PENDING]
    assert shown == [Status.PENDING, *steps, Status.DONE]
