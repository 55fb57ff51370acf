"""The lease: for how long this process may still answer from the journal.

It is renewed each second and lasts for three. So a process that has lost contact with the journal stops answering
before another process answers, whatever the network does. The lease does not protect writes: the epoch does.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from deployments.errors import Unavailable
from deployments.tasks.journal import Ground, Hold, Journal, JournalBroken, NotTheOwner

logger = logging.getLogger(__name__)

LEASE_S = 3.0
BEAT_S = 1.0
TOLD_BEATS = 2
"""Mirrors may show what they were told for this many beats."""


class Lease:
    """This process's hold on a journal. Use it on one event loop.

    `cluster` names the Ray cluster. Processes of one cluster take the journal at once: Ray runs one at a time, and
    the journal refuses the writes of all but the last. A process of another cluster waits until the lease has run out
    or was released.
    """

    def __init__(  # noqa: PLR0913 - only tests set three of them
        self,
        journal: Journal,
        cluster: str,
        *,
        lease_s: float = LEASE_S,
        beat_s: float = BEAT_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._journal = journal
        self._cluster = cluster
        self.lease_s = lease_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._until = -math.inf
        self._tells = True
        self._alone_at = 0.0
        self.epoch = 0
        """How often the journal has been taken; 0 if this process does not own it, or if it has no lease."""
        self.beat_s = beat_s

    async def take(self, ground: Ground = Ground.IDLE) -> Hold:
        """Makes this process the journal's owner, if it may be; see `Journal.take`.

        Raises:
            JournalBroken: the journal does not answer.
        """
        asked_at = self._monotonic()
        hold = await self._journal.take(self._cluster, self.lease_s, ground)
        self.epoch = hold.epoch
        if hold.is_mine:
            self._prolong(asked_at)
            self._alone_at = self._monotonic() + hold.left_s
        return hold

    @property
    def left_s(self) -> float:
        """For how many seconds this process may still answer from the journal; infinite if that has no lease."""
        return self._until - self._monotonic()

    def told_s(self) -> float:
        """For how many seconds a mirror may show what it is told now."""
        return min(self.left_s, TOLD_BEATS * self.beat_s) if self._tells else 0.0

    def prepare_release(self) -> None:
        """From now on, mirrors may not keep what they are told."""
        self._tells = False

    async def release(self) -> None:
        """Ends the lease; from then on this process may not answer.

        Raises:
            JournalBroken: the journal does not answer. Then the lease runs out by itself.
        """
        self._until = -math.inf
        await self._journal.release()

    @property
    def watch_s(self) -> float:
        """How long a mirror's long-poll may stay unanswered: half a beat, so that the mirror goes on showing."""
        return self.beat_s / 2

    async def check(self) -> None:
        """Waits until no earlier owner may answer any more.

        Raises:
            Unavailable: this process may not answer either.
        """
        while (wait_s := self._alone_at - self._monotonic()) > 0:
            await self._sleep(wait_s)
        self.check_held()

    def check_held(self) -> None:
        """
        Raises:
            Unavailable: another process may own the journal.
        """
        if self.left_s <= 0:
            raise Unavailable("The task status actor has lost its journal; try again in a few seconds.", 2, "journal")

    async def keep(self, is_busy: Callable[[], bool] = lambda: False) -> None:
        """Renews the lease until another cluster asks for the journal; then returns, with the lease still held.

        `is_busy` says whether callers have come to this cluster.

        Raises:
            JournalBroken: the lease is lost.
        """
        while True:
            await self._sleep(self.beat_s)
            if not self._journal.is_leased:
                continue
            if await self._renewed(is_busy=is_busy()):
                return

    async def _renewed(self, *, is_busy: bool) -> bool:
        asked_at = self._monotonic()
        try:
            async with asyncio.timeout(self.lease_s):
                is_asked_for = await self._journal.renew(is_busy=is_busy)
        except NotTheOwner:
            self._until = -math.inf
            raise
        except (JournalBroken, TimeoutError) as error:
            logger.warning("The lease on the journal was not renewed: %s", error or "no answer")
            if self.left_s <= 0:
                raise JournalBroken(f"the lease on the journal has run out: {error or 'no answer'}") from error
            return False
        self._prolong(asked_at)
        return is_asked_for

    def _prolong(self, asked_at: float) -> None:
        """Counts from before the request was sent; the journal counts from later, so this ends first."""
        self._until = asked_at + self.lease_s if self._journal.is_leased else math.inf
