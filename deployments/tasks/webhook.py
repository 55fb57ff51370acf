"""The state of a task's webhook: waiting, delivered or given up. Immutable, as `Task` is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from deployments.tasks.replaced import replaced

PAUSES_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Between two tries: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h. After the last try, the webhook is given up."""

Answer = int | str
"""The status of an answer to a try; or why there was none, in a few words that name no host."""

_TAKEN = range(200, 300)
_GONE = 410


class WebhookState(StrEnum):
    """Whether there is another try to come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True)
class LastTry:
    """When the last try ended, and what was answered."""

    at: datetime
    answer: Answer


@dataclass(frozen=True)
class Webhook:
    """One webhook as its caller may see it: its URL may hold a secret, and is kept elsewhere.

    `tries` counts all of them. A round is one schedule of tries; to send the webhook again begins another one.
    """

    state: WebhookState = WebhookState.WAITING
    tries: int = 0
    last: LastTry | None = None
    round: int = 0
    tries_of_round: int = 0

    @property
    def is_waiting(self) -> bool:
        return self.state is WebhookState.WAITING

    @property
    def pause_s(self) -> float:
        """How long after the last try the next one is made; none for the first of a round."""
        return PAUSES_S[self.tries_of_round - 1] if self.tries_of_round else 0.0

    def tried(self, in_round: int, at: datetime, answer: Answer) -> Self:
        """A try of that round has ended. One of an earlier round counts, and changes nothing else."""
        tried = replaced(self, tries=self.tries + 1, last=LastTry(at, answer))
        if in_round != self.round:
            return tried
        tried = replaced(tried, tries_of_round=self.tries_of_round + 1)
        if answer in _TAKEN:
            return replaced(tried, state=WebhookState.DELIVERED)
        is_last = answer == _GONE or tried.tries_of_round > len(PAUSES_S)
        return replaced(tried, state=WebhookState.GIVEN_UP) if is_last else tried

    def again(self) -> Self:
        """It is to be sent again: a new round begins at once."""
        return replaced(self, state=WebhookState.WAITING, round=self.round + 1, tries_of_round=0)
