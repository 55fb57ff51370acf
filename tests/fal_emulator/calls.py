"""A `PaidCall` whose record outlives the attempt that made it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from deployments.errors import EngineOutcomeUnknown, TaskFailed

_UNKNOWN = "Nobody knows whether the model ran."


@dataclass
class MemoryCall:
    """`claimed`: a submit may be out. `wanted`: what `is_wanted` says."""

    receipt: str | None = None
    claimed: bool = False
    wanted: bool = False
    progress: list[str] = field(default_factory=list)
    reported: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, send: Callable[[], Awaitable[str]]) -> str:
        if self.receipt is not None:
            return self.receipt
        if self.claimed:
            raise EngineOutcomeUnknown(_UNKNOWN)
        self.claimed = True
        sending = asyncio.ensure_future(self._send_and_record(send))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.gather(sending, return_exceptions=True)
            raise

    async def _send_and_record(self, send: Callable[[], Awaitable[str]]) -> str:
        try:
            self.receipt = await send()
        except TaskFailed:
            self.claimed = False
            raise
        except Exception as error:
            raise EngineOutcomeUnknown(_UNKNOWN) from error
        return self.receipt

    def next_attempt(self) -> "MemoryCall":
        """What another process finds on record."""
        return MemoryCall(receipt=self.receipt, claimed=self.claimed)

    def report(self, progress: str) -> None:
        self.progress.append(progress)
        self.reported.set()

    async def is_wanted(self) -> bool:
        return self.wanted
