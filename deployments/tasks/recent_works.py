"""Works between two steps: durable already, and kept in memory while there is room, which saves reading the journal."""

from deployments.tasks.work import Work

RECENT_BYTES = 64_000_000
"""Of pictures. What finds no room is read from the journal."""


class RecentWorks:
    """The newest work of a task, or nothing. Works without pictures always find room."""

    def __init__(self, most_bytes: int = RECENT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._works: dict[str, Work] = {}
        self._bytes = 0

    def put(self, work: Work) -> None:
        """Keeps it, in place of an older one, if there is room."""
        self.take(work.task_id)
        if self._bytes + work.size <= self._most_bytes:
            self._works[work.task_id] = work
            self._bytes += work.size

    def take(self, task_id: str) -> Work | None:
        """The task's work, which is not kept any longer."""
        work = self._works.pop(task_id, None)
        if work is not None:
            self._bytes -= work.size
        return work
