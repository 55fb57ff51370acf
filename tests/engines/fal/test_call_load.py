"""Many tasks in flight on one replica, on a clock of their own."""

import asyncio
import heapq
from itertools import count

from deployments.engines.base import EngineContext
from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import FalEmulator

TASKS = 200


class Clock:
    """Time stands still while anybody works, and jumps to the next waking as soon as all `sleepers` sleep."""

    def __init__(self, sleepers: int) -> None:
        self.now = 0.0
        self._sleepers = sleepers
        self._order = count()
        self._wakings: list[tuple[float, int, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.Event()
        heapq.heappush(self._wakings, (self.now + seconds, next(self._order), waking))
        self._go_on()
        await waking.wait()

    def leave(self) -> None:
        self._sleepers -= 1
        self._go_on()

    def _go_on(self) -> None:
        if self._wakings and len(self._wakings) == self._sleepers:
            self.now = self._wakings[0][0]
        while self._wakings and self._wakings[0][0] <= self.now:
            heapq.heappop(self._wakings)[2].set()


async def test_two_hundred_tasks(fal: FalEmulator, egress: Egress, make_engine: MakeEngine) -> None:
    """200 tasks of 20 s each, all at once: no error, one submit each, and fewer than 15 looks at each."""
    make_engine()
    clock = Clock(TASKS)
    fal.clock, fal.queue_s, fal.run_s = lambda: clock.now, 5, 15
    engine = FalEngine(EngineContext(egress, PictureLimits(), Environment()), sleep=clock.sleep)

    async def task() -> None:
        made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
        assert made.picture.url is not None
        clock.leave()

    await asyncio.gather(*(task() for _ in range(TASKS)))
    assert fal.posts == len(fal.requests) == TASKS
    assert {request.status_reads for request in fal.requests.values()} == {10}
    assert clock.now < 20 + 3
