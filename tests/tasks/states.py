"""The states of a task, one after the other, for tests of what shows them."""

from deployments.errors import Cancelled
from deployments.tasks.record import Failure, Status, Task
from tests.tasks.in_process import AT, task_and_work

STAGES = (Status.PROCESSING_AVATAR_MODEL, Status.PROCESSING_BACKGROUND_REMOVAL, Status.UPLOADING_IMAGE)


def task(task_id: str = "t") -> Task:
    """In its first state."""
    return task_and_work(task_id)[0].attempted()


def next_state(task: Task) -> Task:
    """The same task, a status further; if it has ended, as it is."""
    if task.is_ended:
        return task
    following = [status for status in STAGES if task.status.may_become(status)]
    if not following:
        return task.failed(Failure.of(Cancelled("Enough.")), AT)
    return task.advanced(task.attempts, following[0], AT)
