"""What the service does for all of its callers: what the operator's page shows.

It is made of what is in memory anyway, so no task costs more for it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass

from deployments.tasks.record import Status, Task

ENDS = 100
"""Ended tasks in an overview."""

MAKE_SECONDS = 1
"""An overview is made at most this often, however many ask."""


@dataclass(frozen=True)
class Overview:
    """`in_flight` counts the tasks that have not ended, by caller and status; `ended` has the newest ends first.

    `webhooks_waiting` counts the webhooks of ended tasks that have yet to be delivered or given up.
    """

    in_flight: Mapping[str, Mapping[Status, int]]
    ended: tuple[Task, ...]
    webhooks_waiting: int = 0


class Overviews:
    """Makes overviews.

    `in_flight` gives all tasks that have not ended, `newest_ends` so many that have; `webhooks` are those that wait.
    Not thread-safe: it lives on one event loop.
    """

    def __init__(
        self,
        in_flight: Callable[[], Iterable[Task]],
        newest_ends: Callable[[int], Iterable[Task]],
        webhooks: Sized = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._newest_ends = newest_ends
        self._webhooks = webhooks
        self._monotonic = monotonic
        self._made: tuple[float, Overview] | None = None

    def latest(self) -> Overview:
        """An overview that is at most `MAKE_SECONDS` old."""
        now = self._monotonic()
        if self._made is None or now - self._made[0] >= MAKE_SECONDS:
            self._made = now, self._make()
        return self._made[1]

    def _make(self) -> Overview:
        in_flight: dict[str, Counter[Status]] = {}
        for task in self._in_flight():
            in_flight.setdefault(task.caller, Counter())[task.status] += 1
        return Overview(in_flight, tuple(self._newest_ends(ENDS)), len(self._webhooks))
