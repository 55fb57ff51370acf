"""The ledger: the state of every task. A task's changes happen one after the other, each durable before it is shown."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TypeVar

from deployments.errors import Conflict, NotFound, Unavailable
from deployments.settings import Settings
from deployments.tasks.callers import Callers
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.journal import Journal, JournalBroken
from deployments.tasks.recent_works import RecentWorks
from deployments.tasks.record import Task
from deployments.tasks.status_map import StatusMap
from deployments.tasks.task_index import TaskIndex
from deployments.tasks.work import Work

logger = logging.getLogger(__name__)

Change = Callable[[Entry], Entry]
T = TypeVar("T")

READS_AT_ONCE = 4
"""How many works are read from the journal at once: each may hold large pictures."""


class Unfinished:
    """A task that has not ended. `changed` is locked during a change, and notified after it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.changed = asyncio.Condition()


class Ledger:
    """The journal, with a copy in memory of what is read often. Use it on one event loop, and await `open` first."""

    def __init__(  # noqa: PLR0913 - the parts of the service that it serves
        self,
        settings: Settings,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        on_change: Callable[[Task], None],
        callers: Callers,
    ) -> None:
        self._most = settings.limits.tasks_in_flight
        self._journal = journal
        self._clock = clock
        self._sleep = sleep
        self._on_change = on_change
        self._callers = callers
        self._unfinished: dict[str, Unfinished] = {}
        self._bound: dict[str, tuple[str, str]] = {}  # idempotency key -> fingerprint, task id
        self._keys: dict[str, str] = {}  # task id -> its idempotency key
        self._recent = RecentWorks()
        self._reading = asyncio.Semaphore(READS_AT_ONCE)
        self.index = TaskIndex()
        self.shown = StatusMap(keep_s=settings.retention.hours * 3600, keep_at_most=settings.retention.tasks)

    async def open(self) -> list[Entry]:
        """Reads the journal.

        Returns:
            The tasks for which something is left to do: those that have not ended, and those whose end is to be told.

        Raises:
            JournalBroken: it cannot be read.
        """
        entries = self._callers.recall(await self._journal.read())
        for entry in sorted(entries, key=lambda entry: entry.task.timeline[-1].at):
            if entry.binding:
                self._bind(entry.binding, entry.task.id)
            if not entry.task.is_ended:
                self._unfinished[entry.task.id] = Unfinished(entry)
            age = self._clock() - entry.task.timeline[-1].at
            await self._show(entry.task, age_s=max(0.0, age.total_seconds()))
        return [entry for entry in entries if self._is_left(entry)]

    def _is_left(self, entry: Entry) -> bool:
        """Whether something is left to do for the task, which may have been forgotten since it ended."""
        if entry.task.is_ended:
            return entry.webhook_url is not None and self.shown.get(entry.task.id) is not None
        return True

    @property
    def in_flight(self) -> list[Task]:
        """The tasks that have not ended."""
        return [unfinished.entry.task for unfinished in self._unfinished.values()]

    async def known(self, task_id: str, binding: Binding | None) -> Task | None:
        """The task with this idempotency key, or else with this id, once it is durable; None if there is none.

        Raises:
            Conflict: the idempotency key is bound to another request.
            Unavailable: another call was just creating it, and failed.
        """
        if binding and (bound := await self.bound(binding)):
            return bound
        is_known = task_id in self._unfinished or self.shown.get(task_id) is not None
        return await self._durable(task_id) if is_known else None

    def is_bound(self, key: str) -> bool:
        """Whether a task was accepted with this idempotency key, or is just being accepted."""
        return key in self._bound

    async def bound(self, binding: Binding) -> Task | None:
        """The task that was accepted with this idempotency key, once it is durable; None if there is none.

        Raises:
            Conflict, Unavailable: as `known`.
        """
        if (known := self._bound.get(binding.key)) is None:
            return None
        fingerprint, task_id = known
        if fingerprint != binding.fingerprint:
            raise Conflict("This Idempotency-Key was used with a different request; use a new one.")
        return await self._durable(task_id)

    async def create(self, task: Task, work: Work, binding: Binding | None) -> None:
        """Adds a task that is not `known`. When this returns, the task is durable and shown.

        Raises:
            Unavailable: too many tasks are in flight, or the journal does not work.
        """
        if len(self._unfinished) >= self._most:
            raise Unavailable("Too many tasks are in flight; try again in a few seconds.", 5, "full")
        unfinished = self._unfinished[task.id] = Unfinished(_first_entry(task, work, binding))
        if binding:
            self._bind(binding, task.id)
        async with unfinished.changed:
            try:
                await self._journal.write(unfinished.entry, work)
            except BaseException as error:
                del self._unfinished[task.id]
                self._unbind(task.id)
                if isinstance(error, JournalBroken):
                    logger.error("A task was refused: %s", error)  # noqa: TRY400 - the text says all
                    raise Unavailable(
                        "The service cannot record new tasks at the moment; try again later.", 30, "journal"
                    ) from None
                raise
            self._recent.put(work)
            await self._show(task)

    async def change(self, task_id: str, change: Change, work: Work | None = None) -> Entry:
        """Applies a change (and newer work) to an unfinished task. When this returns, the change is durable and shown.

        Raises:
            NotFound: there is no such task, or it has ended.
            StaleWrite: the change is not allowed.
        """
        unfinished = self.unfinished(task_id)
        async with unfinished.changed:
            entry = change(unfinished.entry)
            if entry != unfinished.entry or work is not None:
                await self._write(entry, work)
                unfinished.entry = entry
                unfinished.changed.notify_all()
                if work is not None:
                    self._recent.put(work)
                if entry.task.is_ended:
                    self._recent.take(task_id)
                    del self._unfinished[task_id]
                await self._show(entry.task)
        return entry

    async def ended(self, task_id: str) -> Entry | None:
        """The entry of a task that has ended; None where there is none."""
        task = self.shown.get(task_id)
        if task is None or not task.is_ended:
            return None
        return await self._until_done(lambda: self._journal.read_entry(task_id))

    async def entry(self, task_id: str) -> Entry | None:
        """The entry of a task, ended or not; None where there is none."""
        if (unfinished := self._unfinished.get(task_id)) is not None:
            return unfinished.entry
        return await self.ended(task_id)

    async def forget(self, task_ids: Collection[str]) -> None:
        """Drops all that is kept of tasks that have ended, but for the money that they have spent within a day."""
        await self._forget(task_ids)
        for task_id in task_ids:
            self.shown.drop(task_id)
            self.index.drop(task_id)
            self._unbind(task_id)

    async def rewrite(self, entry: Entry) -> bool:
        """Makes a change of an ended task durable, and shows it; False where the task has been forgotten."""
        if self.shown.get(entry.task.id) is None:
            return False
        await self._write(entry, None)
        await self._keep(entry.task)
        return True

    def remark(self, task_id: str, change: Change) -> None:
        """Shows a change that need not be durable; nothing happens if the task has ended."""
        if (unfinished := self._unfinished.get(task_id)) is not None:
            unfinished.entry = change(unfinished.entry)
            self.shown.put(unfinished.entry.task)
            self.index.put(unfinished.entry.task)
            self._on_change(unfinished.entry.task)

    def unfinished(self, task_id: str) -> Unfinished:
        """The state of a task that has not ended.

        Raises:
            NotFound: there is no such task, or it has ended.
        """
        if (unfinished := self._unfinished.get(task_id)) is None:
            raise NotFound("There is no such task in flight.")
        return unfinished

    async def work(self, task_id: str) -> Work:
        """The newest work of an unfinished task; stays in memory if there is room.

        Raises:
            NotFound: the task has ended.
        """
        work = self._recent.take(task_id) or await self._read_work(task_id)
        self._recent.put(work)
        return work

    async def take_work(self, task_id: str) -> Work:
        """The same work, for a caller that sends it on: it is removed from memory."""
        return self._recent.take(task_id) or await self._read_work(task_id)

    async def _read_work(self, task_id: str) -> Work:
        async with self._reading:
            work = await self._until_done(lambda: self._journal.read_work(task_id))
        if work is None:
            raise NotFound("There is no such task in flight.")
        return work

    async def _until_done(self, action: Callable[[], Awaitable[T]]) -> T:
        """Reads or forgets: repeated until it succeeds."""
        while True:
            try:
                return await action()
            except JournalBroken as error:
                logger.error("A task waits for the journal: %s", error)  # noqa: TRY400 - the text says all
                await self._sleep(1)

    async def _durable(self, task_id: str) -> Task:
        if (unfinished := self._unfinished.get(task_id)) is not None:
            async with unfinished.changed:  # another call may still be writing it
                pass
        if (task := self.shown.get(task_id)) is None:
            raise Unavailable("The service cannot record new tasks at the moment; try again later.", 30, "journal")
        return task

    async def _write(self, entry: Entry, work: Work | None) -> None:
        """Writes a change of an accepted task. It cannot be refused, so the write is repeated until it succeeds."""
        while True:
            try:
                return await self._journal.write(entry, work)
            except JournalBroken as error:
                logger.error("A change of a task waits for the journal: %s", error)  # noqa: TRY400 - the text says all
                await self._sleep(1)

    async def _show(self, task: Task, age_s: float = 0) -> None:
        await self._keep(task, age_s, self._on_change)

    async def _keep(self, task: Task, age_s: float = 0, tell: Callable[[Task], None] = lambda _: None) -> None:
        """Shows a task, tells of it, and forgets those whose time is over."""
        forgotten = self.shown.put(task, age_s=age_s)
        self.index.put(task)
        tell(task)
        if forgotten:
            for task_id in forgotten:
                self.index.drop(task_id)
                self._unbind(task_id)
            await self._forget(forgotten)

    async def _forget(self, task_ids: Collection[str]) -> None:
        """Drops all that the journal holds of these tasks, but for the money that they have spent within a day."""
        spendings = self._callers.spendings
        for entry in spendings.outliving(task_ids):
            await self.keep(entry)
        going = [*task_ids, *spendings.outdated()]
        await self._until_done(lambda: self._journal.forget(going))

    async def keep(self, spending: Entry) -> None:
        """Makes an entry that holds a spending alone durable."""
        await self._write(spending, None)

    def _bind(self, binding: Binding, task_id: str) -> None:
        self._bound[binding.key] = (binding.fingerprint, task_id)
        self._keys[task_id] = binding.key

    def _unbind(self, task_id: str) -> None:
        if (key := self._keys.pop(task_id, None)) is not None:
            del self._bound[key]


def _first_entry(task: Task, work: Work, binding: Binding | None) -> Entry:
    return Entry(task, binding, webhook_url=work.webhook_url, traces=work.traces)
