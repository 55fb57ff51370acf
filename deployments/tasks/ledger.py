"""The ledger: the state of every task. A task's changes happen one after the other, each durable before it is shown."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from datetime import datetime
from functools import partial
from typing import NoReturn, Protocol, TypeVar

from deployments.errors import Conflict, NotFound, Unavailable
from deployments.settings import Settings
from deployments.tasks.callers import Callers
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.journal import Journal, JournalBroken, WriteUnknown
from deployments.tasks.recent_works import RecentWorks
from deployments.tasks.record import Task
from deployments.tasks.status_map import StatusMap
from deployments.tasks.task_index import TaskIndex, place_of
from deployments.tasks.work import Work

logger = logging.getLogger(__name__)

Change = Callable[[Entry], Entry]
T = TypeVar("T")

LOOK_S = 60.0
"""Between two looks for tasks whose retention is over, at most: where no task ends, nothing else would forget them."""
SOON_S = 0.5
"""How long a question by idempotency key waits until all tasks are known."""
READS_AT_ONCE = 4
"""How many works are read from the journal at once: each may hold large pictures."""


class Hide(Protocol):
    async def __call__(self, task_ids: Collection[str], *, but_from_one: bool = False) -> None:
        """See `Followers.hide`."""


class Unfinished:
    """A task that has not ended. `changed` is locked during a change, and notified after it.

    `size` counts the bytes of its pictures in the journal. It is `given_up` if its caller was refused while the first
    write was still under way, and has no idempotency key to find it again.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.size = 0
        self.given_up = False
        self.changed = asyncio.Condition()


class Ledger:
    """The journal, with a copy in memory of what is read often. Use it on one event loop, and await `open` first.

    `on_loaded` is called once all tasks are known, with the ended ones whose webhook is still to be sent.
    """

    def __init__(  # noqa: PLR0913 - the parts of the service that it serves
        self,
        settings: Settings,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        hide: Hide,
        on_change: Callable[[Task], None],
        callers: Callers,
        on_loaded: Callable[[list[Entry]], None] = lambda _: None,
    ) -> None:
        self._most = settings.limits.tasks_in_flight
        self._most_bytes = settings.limits.picture_bytes_in_flight
        self._journal = journal
        self._clock = clock
        self._sleep = sleep
        self._hide = hide
        self._on_change = on_change
        self._callers = callers
        self._on_loaded = on_loaded
        self._unfinished: dict[str, Unfinished] = {}
        self._bound: dict[str, tuple[str, str]] = {}  # idempotency key -> fingerprint, task id
        self._keys: dict[str, str] = {}  # task id -> its idempotency key
        self._in_background: set[asyncio.Task[None]] = set()
        self._loaded = asyncio.Event()
        self._loaded.set()
        self._forgotten: set[str] = set()  # while ended tasks are still being read
        self._bytes = 0  # of pictures in the works of unfinished tasks
        self._recent = RecentWorks()
        self._reading = asyncio.Semaphore(READS_AT_ONCE)
        self.index = TaskIndex()
        keep_s = settings.retention.hours * 3600
        self._look_s = min(keep_s / 10, LOOK_S)
        self.shown = StatusMap(keep_s=keep_s, keep_at_most=settings.retention.tasks)

    async def open(self) -> list[Entry]:
        """Reads the tasks that have not ended. Ended ones are read in the background, and can be asked for meanwhile.

        If callers have limits or models have prices, this waits until all are read.

        Returns:
            The tasks that have not ended.

        Raises:
            JournalBroken: the journal cannot be read.
        """
        kept = await self._journal.unfinished()
        for entry, size in kept:
            self._add(entry, size)
            self._show(entry.task)
        self._loaded.clear()
        loading = self._spawn(self._load([entry for entry, _ in kept]))
        if self._callers.need_history:
            await loading
        return [entry for entry, _ in kept]

    async def loaded(self) -> None:
        """Returns once all tasks are known, those that have ended included."""
        await self._loaded.wait()

    async def get(self, task_id: str) -> Task | None:
        """The task as it stands.

        Raises:
            Unavailable: it must be read from the journal, and the journal cannot be read.
        """
        if (task := self.shown.get(task_id)) is not None or self._loaded.is_set() or task_id in self._unfinished:
            return task
        try:
            entry = await self._journal.read_entry(task_id)
        except JournalBroken as error:
            logger.warning("A task cannot be read: %s", error)
            raise Unavailable(
                "The service cannot read its tasks at the moment; try again later.", 5, "journal"
            ) from None
        return self.shown.get(task_id) or (entry.task if entry and entry.task.is_ended else None)

    @property
    def in_flight(self) -> list[Task]:
        """The tasks that have not ended."""
        return [unfinished.entry.task for unfinished in self._unfinished.values()]

    async def known(self, task_id: str, binding: Binding | None) -> Task | None:
        """The task with this idempotency key, or else with this id, once it is durable; None if there is none.

        Raises:
            Conflict: the idempotency key is bound to another request.
            Unavailable: another call was creating it at the same time, and failed.
        """
        if binding and (bound := await self.bound(binding)):
            return bound
        is_known = task_id in self._unfinished or await self.get(task_id) is not None
        return await self._durable(task_id) if is_known else None

    def is_bound(self, key: str) -> bool:
        """Whether a task was accepted with this idempotency key, or is just being accepted."""
        return key in self._bound

    async def bound(self, binding: Binding) -> Task | None:
        """The task that was accepted with this idempotency key, once it is durable; None if there is none.

        Raises:
            Conflict: as `known`.
            Unavailable: as `known`, or the tasks that have ended are still being read.
        """
        await self._soon_loaded()
        if (known := self._bound.get(binding.key)) is None:
            return None
        fingerprint, task_id = known
        if fingerprint != binding.fingerprint:
            raise Conflict("This Idempotency-Key was used with a different request; use a new one.")
        return await self._durable(task_id)

    async def create(
        self,
        task: Task,
        work: Work,
        binding: Binding | None,
        accepted: Callable[[Task], None],
        patience_s: float | None = None,
    ) -> None:
        """Adds a task that is not `known`. Once it is durable and shown, `accepted` is called; then this returns.

        If the outcome of the write is unknown, the task is written again until it is done. If all this takes longer
        than `patience_s`, the caller is refused and the writing goes on in the background. With an idempotency key the
        task then goes on, and a repetition finds it. Without one it is forgotten, since nobody can ask for it.

        Raises:
            QuotaExceeded, BudgetUsedUp: a limit of its caller is reached.
            Unavailable: too many tasks or pictures are in flight, or the journal does not work.
        """
        if len(self._unfinished) >= self._most:
            raise Unavailable("Too many tasks are in flight; try again in a few seconds.", 5, "full")
        if work.size and self._bytes + work.size > self._most_bytes:
            raise Unavailable(
                "Too many pictures are in flight; try again in a few seconds, or send URLs.", 5, "pictures"
            )
        self._callers.start(task)
        unfinished = self._add(_first_entry(task, work, binding), work.size)
        await unfinished.changed.acquire()  # whoever finds it from now on waits until it is durable
        accepting = self._spawn(self._accept(unfinished, work, accepted))
        del work  # it may be large
        await asyncio.wait({accepting}, timeout=patience_s)
        if not accepting.done():
            unfinished.given_up = binding is None
            raise _cannot_record(5)
        try:
            accepting.result()
        finally:
            del accepting  # its exception knows this frame, and would keep the work until garbage is searched for

    async def _accept(self, unfinished: Unfinished, work: Work, accepted: Callable[[Task], None]) -> None:
        task = unfinished.entry.task
        try:
            await self._write_new(unfinished.entry, work)
            if unfinished.given_up:
                await self._until_done(partial(self._journal.forget, [task.id]))
                self._drop(unfinished)
            else:
                self._recent.put(work)
                self._show(task)
                accepted(task)
        except BaseException as error:
            self._drop(unfinished)
            if not isinstance(error, JournalBroken):
                raise
            logger.error("A task was refused: %s", error)  # noqa: TRY400 - the text says all
            raise _cannot_record(30) from None
        finally:
            unfinished.changed.release()

    async def _write_new(self, entry: Entry, work: Work) -> None:
        """After a write of unknown outcome the task may be in the journal, so it is written until that is done."""
        try:
            await self._journal.write(entry, work)
        except WriteUnknown as error:
            logger.warning("A new task is written again: %s", error)
            await self._until_done(partial(self._journal.write, entry, work))

    async def change(self, task_id: str, change: Change, work: Work | None = None) -> Entry:
        """Applies a change (and newer work) to an unfinished task. When this returns, the change is durable and shown.

        Raises:
            NotFound: there is no such task, or it has ended.
            StaleWrite: the change is not allowed.
        """
        unfinished = self.unfinished(task_id)
        async with unfinished.changed:
            self.unfinished(task_id)  # its end may have been written meanwhile
            entry = change(unfinished.entry)
            if entry != unfinished.entry or work is not None:
                await self._write_change(unfinished.entry, entry, work)
                unfinished.entry = entry
                unfinished.changed.notify_all()
                if work is not None:
                    self._holds(unfinished, work.size)
                    self._recent.put(work)
                if entry.task.is_ended:
                    self._recent.take(task_id)
                    self._holds(unfinished, 0)
                    del self._unfinished[task_id]
                self._show(entry.task)
        return entry

    async def _write_change(self, before: Entry, entry: Entry, work: Work | None) -> None:
        """Once this returns, no mirror contradicts the new status. Where stand-bys read the journal, none ever does."""
        is_seen = entry.task.status is not before.task.status
        if is_seen and self._journal.is_leased:
            await self._hide([entry.task.id])
        await self._until_done(partial(self._journal.write, entry, work))
        if is_seen and not self._journal.is_leased:
            await self._hide([entry.task.id], but_from_one=True)

    async def ended(self, task_id: str) -> Entry | None:
        """The entry of a task that has ended; None where there is none."""
        task = await self.get(task_id)
        if task is None or not task.is_ended:
            return None
        return await self._until_done(lambda: self._journal.read_entry(task_id))

    async def entry(self, task_id: str) -> Entry | None:
        """The entry of a task, ended or not; None where there is none."""
        if (unfinished := self._unfinished.get(task_id)) is not None:
            return unfinished.entry
        return await self.ended(task_id)

    async def forget(self, task_ids: Collection[str]) -> None:
        """Drops all that is kept of tasks that have ended, except the money that they have spent within a day."""
        await self._forget(task_ids)
        for task_id in task_ids:
            self.shown.drop(task_id)
        self._dropped(task_ids)

    async def rewrite(self, entry: Entry) -> bool:
        """Makes a change of an ended task durable, and shows it; False where the task has been forgotten."""
        if self.shown.get(entry.task.id) is None:
            return False
        await self._until_done(partial(self._journal.write, entry))
        if self.shown.get(entry.task.id) is None:  # it was forgotten meanwhile: perhaps before this write
            await self._until_done(partial(self._journal.forget, [entry.task.id]))
            return False
        self._keep(entry.task)
        return True

    def remark(self, task_id: str, change: Change) -> None:
        """Shows a change that need not be durable; not while another one is under way, nor after the task's end."""
        if (unfinished := self._unfinished.get(task_id)) is not None and not unfinished.changed.locked():
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

    def entries(self) -> Iterator[Entry]:
        """The entries of all tasks that have not ended."""
        return (unfinished.entry for unfinished in self._unfinished.values())

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
        """Repeats the action until it succeeds: an accepted task must not fail because the journal is away."""
        while True:
            try:
                return await action()
            except JournalBroken as error:
                logger.error("A task waits for the journal: %s", error)  # noqa: TRY400 - the text says all
                await self._sleep(1)

    async def _soon_loaded(self) -> None:
        """Waits a moment only: other questions came in the same message, and are answered with this one."""
        try:
            async with asyncio.timeout(SOON_S):
                await self._loaded.wait()
        except TimeoutError:
            raise Unavailable("The service is still reading its tasks; try again.", 2, "journal") from None

    async def _durable(self, task_id: str) -> Task:
        if (unfinished := self._unfinished.get(task_id)) is not None:
            async with unfinished.changed:  # another call may still be writing it
                pass
        if (task := await self.get(task_id)) is None:
            raise _cannot_record(30)
        return task

    async def _load(self, running: list[Entry]) -> None:
        """Reads the tasks that have ended; tries again if the journal fails meanwhile."""
        history: dict[str, Entry] = {}
        to_tell: dict[str, Entry] = {}
        await self._until_done(lambda: self._load_once(history, to_tell))
        self._callers.recall([*running, *history.values()])
        self._loaded.set()
        self._forget_soon(self.shown.restored())
        self._spawn(self._forget_in_time())
        self._on_loaded([entry for entry in to_tell.values() if self.shown.get(entry.task.id) is not None])

    async def _load_once(self, history: dict[str, Entry], to_tell: dict[str, Entry]) -> None:
        async for entries in self._journal.ended():
            for entry in entries:
                if entry.is_alone or self._callers.need_history:
                    history[entry.task.id] = entry
                if entry.task.is_ended and not entry.is_alone and entry.task.id not in self._forgotten:
                    self._restore(entry, to_tell)
            await asyncio.sleep(0)  # lets other coroutines run

    def _restore(self, entry: Entry, to_tell: dict[str, Entry]) -> None:
        task = entry.task
        if self.shown.get(task.id) is not None:
            return
        if entry.binding and not self._is_bound_by_newer(entry.binding.key, task):
            self._bind(entry.binding, task.id)
        if task.webhook is not None and task.webhook.is_waiting:
            to_tell[task.id] = entry
        age = self._clock() - task.timeline[-1].at
        self.shown.restore(task, age_s=max(0.0, age.total_seconds()))
        self.index.put(task)

    def _spawn(self, doing: Coroutine[None, None, None]) -> asyncio.Task[None]:
        spawned = asyncio.create_task(doing)
        self._in_background.add(spawned)
        spawned.add_done_callback(self._in_background.discard)
        spawned.add_done_callback(_told)
        return spawned

    def _show(self, task: Task) -> None:
        self._keep(task, self._on_change)

    def _keep(self, task: Task, tell: Callable[[Task], None] = lambda _: None) -> None:
        """Shows a task, calls `tell` with it, and forgets the tasks whose retention is over."""
        forgotten = self.shown.put(task)
        self.index.put(task)
        tell(task)
        self._forget_soon(forgotten)

    def _forget_soon(self, task_ids: list[str]) -> None:
        if task_ids:
            self._dropped(task_ids)
            self._spawn(self._forget(task_ids))

    async def _forget_in_time(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._look_s)
            self._forget_soon(self.shown.outdated())

    async def _forget(self, task_ids: Collection[str]) -> None:
        """Drops all that the journal holds of these tasks, except the money that they have spent within a day."""
        spendings = self._callers.spendings
        for entry in spendings.outliving(task_ids):
            if spendings.still_outlives(entry):
                await self.keep(entry)
        going = [*task_ids, *spendings.outdated()]
        await self._until_done(partial(self._journal.forget, going))

    async def keep(self, spending: Entry) -> None:
        """Makes an entry that holds a spending alone durable."""
        await self._until_done(partial(self._journal.write, spending))

    def _dropped(self, task_ids: Collection[str]) -> None:
        if not self._loaded.is_set():
            self._forgotten.update(task_ids)
        for task_id in task_ids:
            self.index.drop(task_id)
            self._unbind(task_id)

    def _add(self, entry: Entry, size: int) -> Unfinished:
        unfinished = self._unfinished[entry.task.id] = Unfinished(entry)
        self._holds(unfinished, size)
        if entry.binding:
            self._bind(entry.binding, entry.task.id)
        return unfinished

    def _drop(self, unfinished: Unfinished) -> None:
        """Undoes `_add`, and what its caller has used."""
        self._callers.undo(unfinished.entry.task)
        self._holds(unfinished, 0)
        del self._unfinished[unfinished.entry.task.id]
        self._unbind(unfinished.entry.task.id)

    def _holds(self, unfinished: Unfinished, size: int) -> None:
        self._bytes += size - unfinished.size
        unfinished.size = size

    def _bind(self, binding: Binding, task_id: str) -> None:
        self._bound[binding.key] = (binding.fingerprint, task_id)
        self._keys[task_id] = binding.key

    def _unbind(self, task_id: str) -> None:
        key = self._keys.pop(task_id, None)
        if key is not None and self._bound.get(key, (None, None))[1] == task_id:  # else a newer task has it
            del self._bound[key]

    def _is_bound_by_newer(self, key: str, task: Task) -> bool:
        """Whether another task has the key that was accepted after this one, whose time was over then."""
        _, task_id = self._bound.get(key, (None, ""))
        other = self.shown.get(task_id)
        return task_id in self._unfinished or (other is not None and place_of(other) > place_of(task))


def _first_entry(task: Task, work: Work, binding: Binding | None) -> Entry:
    return Entry(task, binding, webhook_url=work.webhook_url, traces=work.traces)


def _cannot_record(retry_after: int) -> Unavailable:
    return Unavailable("The service cannot record new tasks at the moment; try again later.", retry_after, "journal")


def _told(done: asyncio.Task[None]) -> None:
    """Logs what went wrong in a background task that nobody awaits; a refusal was logged already."""
    if not done.cancelled() and (error := done.exception()) and not isinstance(error, Unavailable):
        logger.error("The ledger broke.", exc_info=error)
