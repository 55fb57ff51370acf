"""A circuit for each engine of a process: one that has failed several times in a row is left out for a while."""

import time
from collections.abc import Callable

FAILURES = 5
OPEN_S = 30.0


class Circuit:
    """Opens after `failures` failures in a row, for `open_s` seconds; then one call may try, and decides.

    Only failures after which another engine may be asked count. An engine that rejects the content, or finds nobody in
    it, is there. A call that ends by its caller's own fault decides nothing: the next one may try. After any other
    failure of the call that tried, the engine is left out for as long again.
    """

    def __init__(
        self, failures: int = FAILURES, open_s: float = OPEN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._open_s = open_s
        self._clock = clock
        self._in_a_row = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the engine is left out now."""
        return self._open_until is not None and self._clock() < self._open_until

    def admits(self) -> bool:
        """Whether the engine may be asked; of those who come when the time is over, the first one tries."""
        if self._open_until is None:
            return True
        if self._clock() < self._open_until:
            return False
        self._open_until = self._clock() + self._open_s
        return True

    def worked(self) -> None:
        """The engine was there."""
        self._in_a_row = 0
        self._open_until = None

    def undecided(self) -> None:
        """The call has ended by its caller's own fault: if it was the one that may try, the next one may."""
        if self._open_until is not None:
            self._open_until = self._clock()

    def failed(self) -> None:
        """The engine did not take the work, or failed at it."""
        self._in_a_row += 1
        if self._in_a_row >= self._failures:
            self._open_until = self._clock() + self._open_s
