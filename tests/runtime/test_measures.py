"""What TaskStatus measures: how old the tasks are that have not ended."""

from datetime import timedelta

from deployments.runtime.measures import ages_of
from tests.tasks.in_process import AT, task_and_work


def test_a_task_is_as_old_as_its_acceptance() -> None:
    """However late it began to run; a clock that was set back makes none younger than new."""
    task, _ = task_and_work()
    assert ages_of([task, task.attempted()], AT + timedelta(seconds=90)) == [90, 90]
    assert ages_of([task], AT - timedelta(seconds=5)) == [0]
    assert ages_of([], AT) == []
