"""Works between two steps: durable already, and kept in memory while there is room, which saves reading the journal."""

from deployments.tasks.work import Work

RECENT_BYTES = 64_000_000
"""Of pictures. What finds no room is read from the journal."""


class RecentWorks:
    """The newest work of a task, or nothing. Works without pictures always find room."""

    def __init__(self, most_bytes: int = RECENT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._works: dict[str, tuple[Work, int]] = {}
        self._bytes = 0

    def put(self, work: Work) -> None:
        """Keeps it, in place of an older one, if there is room."""
        self.take(work.task_id)
        size = work.size
        if self._bytes + size <= self._most_bytes:
            self._works[work.task_id] = (work, size)
            self._bytes += size

    def take(self, task_id: str) -> Work | None:
        """The task's work, which is not kept any longer."""
        work, size = self._works.pop(task_id, (None, 0))
        self._bytes -= size
        return work
