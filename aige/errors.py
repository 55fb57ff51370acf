"""Every error that the client raises on purpose.

ClientError
├── Unreachable      nothing answers, or the service is not ready, for longer than the client's patience
├── NotAnAige        what answers is something else
├── Refused          the request was answered with a problem document
└── TaskEnded        the task ended in `error`
"""

from deployments.api.answers import TaskResponse


class ClientError(Exception):
    """`str(error)` is one plain sentence: what happened, and what can be done."""


class Unreachable(ClientError):
    """Nothing answers."""


class NotAnAige(ClientError):
    """Something else answers."""


class Refused(ClientError):
    """`status` is the HTTP status, `kind` the problem's type."""

    def __init__(self, detail: str, status: int, kind: str = "about:blank") -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind


class TaskEnded(ClientError):
    """`task` is the whole task; `code` says why it ended, such as `no_person_found`."""

    def __init__(self, task: TaskResponse) -> None:
        super().__init__(task.error.message if task.error else f"The task ended as {task.status}.")
        self.task = task
        self.code = str(task.error.code) if task.error else ""
