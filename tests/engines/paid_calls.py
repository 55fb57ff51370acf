"""`PaidCalls` whose record outlives the attempt that made it, kept by the rules of the journal's own `Entry`."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from deployments.engines.base import PaidCall
from deployments.engines.memory_call import MemoryCall
from deployments.tasks.entry import Entry, PaidSubmit, Submits
from deployments.tasks.record import StaleWrite
from tests.tasks.in_process import task_and_work

STEP = "generate_background"


class MemoryCalls:
    """The calls of one attempt; `next_attempt` is another one with the same record."""

    def __init__(self, entry: Entry | None = None) -> None:
        self.entry = entry or Entry(task_and_work()[0].attempted())
        self.known: Submits = self.entry.paid.get(STEP, {})
        self.calls: dict[str, RecordedCall] = {}

    def of(self, engine: str) -> PaidCall:
        return self.calls.setdefault(engine, RecordedCall(self, engine))

    async def pass_over(self, engine: str, reason: str) -> None:
        self.entry = self.entry.passed_over(self.entry.task.attempts, STEP, engine, reason)

    def next_attempt(self) -> "MemoryCalls":
        return MemoryCalls(self.entry.with_task(self.entry.task.attempted()))

    @property
    def open(self) -> list[str]:
        """The engines that may charge."""
        return [engine for engine, submit in self.entry.paid.get(STEP, {}).items() if submit.is_open]


class RecordedCall(MemoryCall):
    """A call whose claim and receipt are kept in the entry."""

    def __init__(self, calls: MemoryCalls, engine: str) -> None:
        known = calls.known.get(engine)
        super().__init__(receipt=known.receipt if known else None, claimed=known is not None and known.is_open)
        self._calls = calls
        self._engine = engine

    async def submit(self, send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        calls, engine = self._calls, self._engine
        if not self.claimed:
            claim = PaidSubmit("token", at=datetime.now(UTC))
            calls.entry = calls.entry.claimed(calls.entry.task.attempts, STEP, engine, claim)
        try:
            receipt = await super().submit(send, model)
        finally:
            if not self.claimed:
                calls.entry = calls.entry.released(STEP, engine, "token")
        with suppress(StaleWrite):  # it stands there already
            calls.entry = calls.entry.receipted(STEP, engine, "token", receipt)
        return receipt
