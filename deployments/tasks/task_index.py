"""The index of tasks: lists of them, the newest first, by their caller and by what is asked for.

Each task lies in two groups of its caller's: one by operation and status, and one that goes by its avatar too. A page
is merged from the groups that were asked for. So it costs the same however many tasks there are, and however few fit.
"""

from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice, product
from typing import NamedTuple

from deployments.tasks.ordered import Ordered
from deployments.tasks.record import Operation, Status, Task

Place = tuple[datetime, str]
"""Where a task stands in lists, for good: when it was accepted, and its id."""

_Group = tuple[str, str | None, Operation, Status]
"""Caller, avatar (None: of any), operation and status."""


@dataclass(frozen=True)
class Wanted:
    """Which tasks of a caller's are asked for: any of each; none means all."""

    caller: str
    statuses: frozenset[Status] = frozenset()
    operations: frozenset[Operation] = frozenset()
    avatar_ids: frozenset[str] = frozenset()


class Page(NamedTuple):
    """Some tasks, the newest first; `has_more` tells whether others follow."""

    tasks: list[Task]
    has_more: bool


class TaskIndex:
    """Not thread-safe: it lives on one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._groups: dict[_Group, Ordered[Place]] = {}

    def put(self, task: Task) -> None:
        """Adds the task, or notes its newer state."""
        before = self._tasks.get(task.id)
        self._tasks[task.id] = task
        if before is not None and before.status is task.status:
            return
        if before is not None:
            self._leave_groups(before)
        for group in _groups_of(task):
            if (members := self._groups.get(group)) is None:
                members = self._groups[group] = Ordered()
            members.add(place_of(task))

    def drop(self, task_id: str) -> None:
        """Forgets a task, if it is there."""
        if (task := self._tasks.pop(task_id, None)) is not None:
            self._leave_groups(task)

    def page(self, wanted: Wanted, after: Place | None, limit: int) -> Page:
        """At most `limit` of the tasks that are wanted: those that follow the place `after`, or the first ones."""
        asked = product(
            [wanted.caller], wanted.avatar_ids or [None], wanted.operations or Operation, wanted.statuses or Status
        )
        groups = [members for group in asked if (members := self._groups.get(group))]
        places = list(islice(merge(*(members.below(after) for members in groups), reverse=True), limit + 1))
        return Page([self._tasks[task_id] for _, task_id in places[:limit]], len(places) > limit)

    def of_avatar(self, caller: str, avatar_id: str) -> list[Task]:
        """All tasks of a caller's avatar."""
        groups = (self._groups.get((caller, avatar_id, *kind)) for kind in product(Operation, Status))
        return [self._tasks[task_id] for members in groups if members for _, task_id in members.below(None)]

    def all(self) -> list[Task]:
        """Every task, whosever it is."""
        return list(self._tasks.values())

    def _leave_groups(self, task: Task) -> None:
        for group in _groups_of(task):
            members = self._groups[group]
            members.remove(place_of(task))
            if not members:
                del self._groups[group]


def place_of(task: Task) -> Place:
    """Where the task stands in lists."""
    return (task.timeline[0].at, task.id)


def _groups_of(task: Task) -> tuple[_Group, _Group]:
    kind = (task.operation, task.status)
    return (task.caller, None, *kind), (task.caller, task.avatar_id, *kind)
