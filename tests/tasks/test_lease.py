"""The lease: whoever has not heard from the journal in time tells nothing any more, and ends."""

import asyncio
import math
from collections.abc import Callable

import pytest

from deployments.errors import Unavailable
from deployments.tasks.journal import Ground, Hold, JournalAway, JournalBroken, MemoryJournal, NotTheOwner
from deployments.tasks.lease import Lease


class Leased(MemoryJournal):
    """Answers each renewal as `outcomes` say, one after the other; each takes some seconds of the clock."""

    is_leased = True

    def __init__(self, clock: list[float], *outcomes: bool | Exception, takes_s: float = 0, left_s: float = 0) -> None:
        super().__init__()
        self._clock = clock
        self._outcomes = list(outcomes)
        self._takes_s = takes_s
        self._left_s = left_s
        self.is_busy: list[bool] = []
        self.released = False

    async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
        del cluster, lease_s, ground
        self._clock[0] += self._takes_s
        return Hold(is_mine=True, left_s=self._left_s, epoch=7)

    async def release(self) -> None:
        self.released = True

    async def renew(self, *, is_busy: bool = False) -> bool:
        self.is_busy.append(is_busy)
        self._clock[0] += self._takes_s
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def lease_of(journal: MemoryJournal, clock: list[float], after_sleep: Callable[[], None] = lambda: None) -> Lease:
    """Three seconds long, renewed each second of `clock`."""

    async def sleep(seconds: float) -> None:
        clock[0] += seconds
        after_sleep()
        await asyncio.sleep(0)

    return Lease(journal, "cluster", monotonic=lambda: clock[0], sleep=sleep)


async def test_it_counts_from_the_question() -> None:
    """The journal counts from later, so this process gives up first."""
    clock = [100.0]
    journal = Leased(clock, False, True, takes_s=0.5)
    lease = lease_of(journal, clock)
    await lease.take()
    assert (clock[0], lease.left_s, lease.epoch) == (100.5, 2.5, 7)
    await lease.keep()  # renewed twice; then another cluster asks
    assert (clock[0], lease.left_s) == (103.5, 2.5)


async def test_it_is_lost_once_it_has_run_out() -> None:
    """A renewal that fails is tried again until then."""
    clock = [0.0]
    lease = lease_of(Leased(clock, *[JournalAway("away")] * 9), clock)
    await lease.take()
    with pytest.raises(JournalBroken, match="run out"):
        await lease.keep()
    assert clock == [3]
    with pytest.raises(Unavailable, match="The task status actor has lost its journal"):
        await lease.check()


async def test_a_renewal_in_time_makes_up_for_one_that_failed() -> None:
    """Also where this process itself was held up for longer than its lease, and nobody has taken the journal."""
    clock, held_up = [0.0], [0.0, 0.0, 60.0, 0.0]
    journal = Leased(clock, JournalAway("away"), False, False, True)
    lease = lease_of(journal, clock, lambda: clock.__setitem__(0, clock[0] + held_up.pop(0)))
    await lease.take()
    await lease.keep()
    assert lease.left_s == 3
    await lease.check()


async def test_it_is_lost_at_once_where_another_process_has_the_journal() -> None:
    """However long it would have lasted."""
    clock = [0.0]
    lease = lease_of(Leased(clock, NotTheOwner("another has it")), clock)
    await lease.take()
    await lease.check()
    with pytest.raises(NotTheOwner, match="another has it"):
        await lease.keep()
    assert lease.left_s < 0
    with pytest.raises(Unavailable, match="The task status actor has lost its journal"):
        await lease.check()


async def test_what_is_told_may_be_shown_for_two_beats_at_most() -> None:
    """Less where the lease runs out before."""
    clock = [0.0]
    lease = lease_of(Leased(clock), clock)
    await lease.take()
    assert lease.told_s() == 2
    clock[0] = 1.25
    assert lease.told_s() == 1.75
    clock[0] = 4.0
    assert lease.told_s() < 0


async def test_who_prepares_to_release_it_lets_nobody_show_what_it_tells() -> None:
    """It still answers itself; afterwards, it does not."""
    clock = [0.0]
    journal = Leased(clock)
    lease = lease_of(journal, clock)
    await lease.take()
    assert lease.told_s() == 2
    lease.prepare_release()
    assert lease.told_s() == 0
    await lease.check()
    await lease.release()
    assert journal.released
    with pytest.raises(Unavailable, match="The task status actor has lost its journal"):
        await lease.check()


async def test_each_renewal_says_whether_callers_have_come() -> None:
    """Then the cluster counts as one that callers have left, once another one has the journal."""
    clock, busy = [0.0], [False, True]
    journal = Leased(clock, False, True)
    lease = lease_of(journal, clock)
    await lease.take()
    await lease.keep(lambda: busy.pop(0))
    assert journal.is_busy == [False, True]


async def test_answers_wait_until_the_owner_before_is_silent() -> None:
    """It may be cut off, and tell what it knows until its lease has run out."""
    clock = [0.0]
    lease = lease_of(Leased(clock, left_s=1.25), clock)
    await lease.take()
    await lease.check()
    assert clock == [1.25]


async def test_a_journal_that_is_held_by_its_process_needs_none() -> None:
    """SQLite's lock goes with its process."""
    clock = [0.0]
    lease = lease_of(MemoryJournal(), clock)
    await lease.take()
    assert lease.left_s == math.inf
    assert lease.told_s() == 2
    keeping = asyncio.create_task(lease.keep())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not keeping.done()
    await lease.check()
    keeping.cancel()
