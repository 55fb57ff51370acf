"""Submits that a provider did not take, and may take later: they are sent again, a few times."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import stamina

from deployments.errors import NotCharged
from deployments.media.retry_after import pause_asked_for

Sleep = Callable[[float], Awaitable[None]]
"""Passes so many seconds."""

SUBMIT_TRIES = 8


class NotTaken(NotCharged):
    """The provider certainly did not take a submit, and may take it after `retry_after` seconds, where it says so."""

    def __init__(self, message: str, reason: str, retry_after: str = "") -> None:
        super().__init__(message, reason)
        self.args = (message, reason, retry_after)
        self.retry_after = retry_after


def tries() -> AsyncIterator[stamina.Attempt]:
    """The attempts at a submit: after each that raises `NotTaken`, a pause and another one."""
    return stamina.retry_context(
        _pause_after, attempts=SUBMIT_TRIES, timeout=None, wait_initial=0.5, wait_max=10.0
    ).__aiter__()


def _pause_after(error: Exception) -> bool | float:
    """Whether to submit again after `error`, and after how many seconds where the provider says so."""
    return isinstance(error, NotTaken) and pause_asked_for(error.retry_after)


def growing_pauses() -> Iterator[float]:
    """The seconds before each look: growing, so that a request of 20 s is looked at 10 times."""
    pause = 0.5
    while True:
        yield pause
        pause = min(pause * 1.5, 3.0)
