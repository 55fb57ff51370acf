"""Who answers: the orchestrator while this process owns the journal, and a stand-by until then.

KubeRay starts a second Ray cluster for each new image, and sends it traffic once it is ready. Its actor finds that the
first one owns the journal, and stands by: it reads single tasks from the journal. When the first request arrives that
changes something, such as a submission, it asks for the journal. The first actor then takes no new tasks and makes no
new paid calls, waits for receipts that are on their way, releases the journal, and ends. All work goes on here, from
its last checkpoint. If no traffic ever comes here, the first actor goes on as before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from deployments.errors import NotInCharge
from deployments.tasks.journal import Ground, Journal, JournalAway, JournalBroken
from deployments.tasks.lease import Lease
from deployments.tasks.messages import CheckReady, GetTask, Message
from deployments.tasks.orchestrator import Orchestrator

logger = logging.getLogger(__name__)

R = TypeVar("R")

BEGIN_BEATS = 10
DRAIN_S = 2.0
"""How long this process keeps a journal that another cluster asks for, to record receipts that are on their way."""
DRAIN_STEP_S = 0.05
ASKED_STEP_S = 0.1
"""Pause between two tries to take a journal that was asked for."""


class Owner:
    """Answers messages. Once it owns the journal, the orchestrator goes on with the tasks in it.

    Await `begin` first, then run `serve`: when that returns, the process must end.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        journal: Journal,
        lease: Lease,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._orchestrator = orchestrator
        self._journal = journal
        self._lease = lease
        self._sleep = sleep
        self._owns = asyncio.Event()
        self._is_busy = asyncio.Event()  # callers have come here, to change something
        self._keeping: asyncio.Task[None] | None = None
        self._claiming = 0  # messages that may begin a paid call, and are being handled
        self._leaving = False
        self._has_ended = False
        self._retired = False

    async def begin(self) -> None:
        """Takes the journal, unless another cluster holds it. If the journal is away, tries for ten beats of the lease.

        Raises:
            JournalBroken: it cannot be read.
        """
        for _ in range(BEGIN_BEATS):
            try:
                await self._try()
            except JournalAway as error:
                logger.warning("The journal is tried again: %s", error)
                await self._sleep(self._lease.beat_s)
            else:
                return
        await self._try()

    async def serve(self) -> None:
        """Stands by if it must, then keeps the journal; returns once it is lost or handed over."""
        try:
            if not self._owns.is_set():
                await self._stand_by()
            if self._keeping is not None:
                await self._keeping
            logger.warning("Another cluster takes over the journal; this process ends.")
            await self._hand_over()
        except JournalBroken as error:
            logger.error("This process ends: %s", error)  # noqa: TRY400 - the text says all
        self._has_ended = True

    async def handle(self, message: Message[R]) -> R:
        """The reply. Raises what the handler raises, or `Unavailable`."""
        if not self._owns.is_set() and isinstance(message, GetTask):
            return cast(R, await self._found(message.task_id))
        if not self._owns.is_set() and isinstance(message, CheckReady) and not self._retired:
            return cast(R, await self._found(""))  # it could take over: then traffic may come
        await self._in_charge(message)
        if message.from_callers:
            await self._lease.check()
        elif message.begins_work:
            self._lease.check_held()
            return await self._claimed(message)
        return await message.handle(self._orchestrator)

    async def _claimed(self, message: Message[R]) -> R:
        self._claiming += 1
        try:
            return await message.handle(self._orchestrator)
        finally:
            self._claiming -= 1

    async def _in_charge(self, message: Message[R]) -> None:
        """Returns once this may handle the message. A caller's request that changes something waits for a take-over."""
        changes = message.from_callers and message.begins_work
        if not self._owns.is_set() and (self._retired or not changes):
            raise _away()
        if changes:
            self._is_busy.set()
        if not self._owns.is_set():
            await self._taken_over(message.delivery.patience_s)
        if self._has_ended or (self._leaving and message.begins_work):
            raise _away()

    async def _taken_over(self, patience_s: float | None) -> None:
        try:
            async with asyncio.timeout(patience_s):
                await self._owns.wait()
        except TimeoutError:
            raise _away() from None

    async def _found(self, task_id: str) -> object:
        try:
            entry = await self._journal.read_entry(task_id)
        except JournalBroken:
            raise _away() from None
        return entry.task if entry else None

    async def _try(self, ground: Ground = Ground.IDLE) -> bool:
        hold = await self._lease.take(ground)
        self._retired = hold.retired
        if hold.is_mine:
            if self._keeping is not None:
                self._keeping.cancel()
            self._keeping = asyncio.create_task(self._lease.keep(self._is_busy.is_set))  # the recovery may take long
            await self._orchestrator.recover()
            self._owns.set()
        return hold.is_mine

    async def _stand_by(self) -> None:
        """Waits until the journal is free; takes one that was asked for and not released after two leases."""
        logger.info("Another cluster owns the journal: this one stands by.")
        asked = 0
        while True:
            if self._retired:
                self._is_busy.clear()
            asked = asked + 1 if self._is_busy.is_set() else 0
            try:
                if await self._try(self._ground(asked)):
                    return
                if asked:
                    await self._journal.ask_for_it()
                    await self._sleep(ASKED_STEP_S)
                else:
                    await self._beat_or_asked()
            except JournalBroken as error:
                logger.warning("The journal cannot be taken: %s", error)
                await self._sleep(self._lease.beat_s)

    def _ground(self, asked: int) -> Ground:
        """On which ground to take the journal, after it was asked for `asked` times."""
        if not asked:
            return Ground.IDLE
        return Ground.FORCE if asked * ASKED_STEP_S > 2 * self._lease.lease_s else Ground.TRAFFIC

    async def _beat_or_asked(self) -> None:
        asked = asyncio.ensure_future(self._is_busy.wait())
        beat = asyncio.ensure_future(self._sleep(self._lease.beat_s))
        await asyncio.wait({asked, beat}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        beat.cancel()

    async def _hand_over(self) -> None:
        """Begins nothing new, waits a while for mirrors and for the receipts of submits, and releases the journal."""
        self._leaving = True
        self._lease.prepare_release()
        await asyncio.gather(self._orchestrator.followers.silence(), self._drain())
        await self._lease.release()

    async def _drain(self) -> None:
        """Waits until nothing is sent to a provider without its receipt, but not for ever."""
        for _ in range(round(DRAIN_S / DRAIN_STEP_S)):
            if not self._claiming and not self._orchestrator.awaits_receipts():
                return
            await self._sleep(DRAIN_STEP_S)


def _away() -> NotInCharge:
    return NotInCharge("The task status actor is not in charge here; try again in a few seconds.", 2, "actor")
