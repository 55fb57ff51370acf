"""Erasure: all that is kept about an avatar goes, here and, as far as it can be asked for, at providers.

1. Its tasks are found, and with them those of the same caller that they name as sources.
2. Those that run are cancelled. None of them tells its webhook any more.
3. Their pictures leave the built-in store, and providers are asked to delete what they keep.
4. Their entries leave the journal, and everybody who follows them hears that they are gone.

Whoever asks is answered after all of it. If a process dies in between, the tasks are still known, and whoever asked can
ask again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from deployments.errors import NotFound
from deployments.tasks.entry import Entry
from deployments.tasks.record import Task
from deployments.tasks.task_index import TaskIndex
from deployments.tasks.traces import SentRequest, place_of

SCANNED_AT_ONCE = 1_000
"""Tasks that are looked at before others have their turn."""
READ_AT_ONCE = 64
"""Entries that are read from the journal at once."""


@dataclass(frozen=True)
class Elsewhere:
    """What is to be erased outside the journal: objects of the built-in store, and what providers keep of requests."""

    objects: tuple[str, ...]
    requests: tuple[SentRequest, ...]


@dataclass(frozen=True)
class ErasedElsewhere:
    """How many objects were there, and which requests a provider has deleted."""

    objects: int
    deleted: frozenset[SentRequest]


EraseElsewhere = Callable[[Elsewhere], Awaitable[ErasedElsewhere]]
"""Raises `Unavailable` where nobody can do it at the moment."""


class ErasureReport(NamedTuple):
    """Which tasks and how many objects were erased, and of each request, whether its provider has deleted it."""

    task_ids: tuple[str, ...]
    objects: int
    requests: tuple[tuple[SentRequest, bool], ...]

    @property
    def tasks(self) -> int:
        """How many tasks were erased."""
        return len(self.task_ids)


class ErasableTasks(Protocol):
    """The ledger, as far as erasure needs it."""

    index: TaskIndex

    async def entry(self, task_id: str) -> Entry | None:
        """All that is known of a task, running or not; None where there is none."""
        ...

    async def forget(self, task_ids: Collection[str]) -> None:
        """Drops all that is kept of tasks that have ended."""
        ...


class Erasure:
    """`call_off` cancels a task if it runs, and ends its webhook. `hide` returns once no mirror shows the tasks.

    `on_gone` is called with each erased id.
    """

    def __init__(
        self,
        tasks: ErasableTasks,
        erase_elsewhere: EraseElsewhere,
        *,
        call_off: Callable[[str], Awaitable[None]],
        hide: Callable[[Collection[str]], Awaitable[None]],
        on_gone: Callable[[str], None],
    ) -> None:
        self._tasks = tasks
        self._erase_elsewhere = erase_elsewhere
        self._call_off = call_off
        self._hide = hide
        self._on_gone = on_gone

    async def erase(self, caller: str, avatar_id: str) -> ErasureReport:
        """Erases all that is kept about a caller's avatar.

        Raises:
            NotFound: nothing is known of it.
            Unavailable: it cannot be done at the moment.
        """
        found = self._tasks.index.of_avatar(caller, avatar_id)
        if not found:
            raise NotFound("Nothing is known of this avatar.")
        by_place = await _results_by_place(self._tasks.index)
        going = await _with_sources(self._tasks, found, by_place)
        await asyncio.gather(*(self._call_off(task_id) for task_id in going))
        what = await self._elsewhere(going, by_place)
        erased = await self._erase_elsewhere(what)
        await self._hide(going)
        await self._tasks.forget(going)
        for task_id in going:
            self._on_gone(task_id)
        fates = tuple((request, request in erased.deleted) for request in what.requests)
        return ErasureReport(tuple(going), erased.objects, fates)

    async def _elsewhere(self, going: Collection[str], by_place: dict[str, list[Task]]) -> Elsewhere:
        """What these tasks have left elsewhere; but for pictures that are also the result of another task."""
        traces = [entry.traces for entry in await _entries(self._tasks, going)]
        kept = {place for place, made in by_place.items() if any(task.id not in going for task in made)}
        objects = dict.fromkeys(key for left in traces for key in left.objects if key not in kept)
        requests = dict.fromkeys(request for left in traces for request in left.requests)
        return Elsewhere(tuple(objects), tuple(requests))


async def _results_by_place(index: TaskIndex) -> dict[str, list[Task]]:
    """All tasks by the place of their result, whosever they are."""
    by_place: dict[str, list[Task]] = {}
    for number, task in enumerate(index.all(), 1):
        by_place.setdefault(place_of(task.read_url), []).append(task)
        if number % SCANNED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return by_place


async def _with_sources(
    tasks: ErasableTasks, found: Iterable[Task], by_place: dict[str, list[Task]]
) -> dict[str, Task]:
    """These tasks, and those of the same caller whose results they were made of, and so on; by id."""
    going: dict[str, Task] = {}
    new = {task.id: task for task in found}
    while new:
        going |= new
        callers = {task.caller for task in new.values()}
        sources = (source for entry in await _entries(tasks, new) for source in entry.traces.sources)
        made = (task for source in sources for task in by_place.get(source, ()))
        new = {task.id: task for task in made if task.id not in going and task.caller in callers}
    return going


async def _entries(tasks: ErasableTasks, task_ids: Iterable[str]) -> list[Entry]:
    """The entries of those that are still known."""
    room = asyncio.Semaphore(READ_AT_ONCE)

    async def read(task_id: str) -> Entry | None:
        async with room:
            return await tasks.entry(task_id)

    return [entry for entry in await asyncio.gather(*map(read, task_ids)) if entry is not None]
