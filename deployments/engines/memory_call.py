"""A `PaidCall` for an engine's own tests: its record is kept in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments.errors import EngineOutcomeUnknown, TaskFailed


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass
class MemoryCall:
    """See `deployments.engines.base.PaidCall`.

    `claimed`: a submit may have been sent. `wanted`: the answer of `is_wanted`. `gate`: each `send` waits until it is
    open. `model`: what the last submit named; `corrected`: what `made_nothing` was told. The other events are set when
    a submit begins, when its receipt is on record, when progress is reported, and when `is_wanted` is asked.
    """

    receipt: str | None = None
    claimed: bool = False
    wanted: bool = False
    gate: asyncio.Event = field(default_factory=_open)
    sends: int = 0
    progress: list[str] = field(default_factory=list)
    submitting: asyncio.Event = field(default_factory=asyncio.Event)
    recorded: asyncio.Event = field(default_factory=asyncio.Event)
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    key: str = "9d3e7c4c-3a53-5cf5-9c0e-0d6d0a1a2b3c"
    claimed_at: datetime | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    model: str | None = None
    corrected: list[tuple[float, str]] = field(default_factory=list)

    async def submit(self, send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        self.model = model
        if self.receipt is not None:
            return self.receipt
        if self.claimed:
            raise EngineOutcomeUnknown.contact_lost()
        self.claimed = True
        sending = asyncio.ensure_future(self._send_and_record(send))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.gather(sending, return_exceptions=True)
            raise

    async def _send_and_record(self, send: Callable[[], Awaitable[str]]) -> str:
        self.submitting.set()
        await self.gate.wait()
        self.sends += 1
        self.claimed_at = datetime.now(UTC)
        try:
            self.receipt = await send()
        except EngineOutcomeUnknown:
            raise
        except TaskFailed:
            self.claimed = False
            raise
        except Exception as error:
            raise EngineOutcomeUnknown.contact_lost() from error
        self.recorded.set()
        return self.receipt

    def next_attempt(self) -> "MemoryCall":
        return MemoryCall(receipt=self.receipt, claimed=self.claimed, claimed_at=self.claimed_at)

    async def made_nothing(self, units: float, model: str = "") -> None:
        self.corrected.append((units, model))

    async def found(self, receipt: str) -> None:
        self.receipt = receipt

    def report(self, progress: str) -> None:
        self.progress.append(progress)
        self.reported.set()

    async def is_wanted(self) -> bool:
        self.asked.set()
        return self.wanted
