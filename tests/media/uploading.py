"""A signed URL that ends at noon, and a clock before it."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SIGNED = f"/put?expires={int(NOON.timestamp())}&signature=secret"


class Clock:
    """Before noon for a number of readings, and noon from then on."""

    def __init__(self, early: int) -> None:
        self.early = early

    def __call__(self) -> datetime:
        self.early -= 1
        return NOON - timedelta(minutes=1) if self.early >= 0 else NOON
