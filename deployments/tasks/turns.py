"""Whose turn it is: tries to many receivers in a bounded room, in which a slow receiver keeps no other waiting.

A receiver may have as many tries under way as there is room left for others. So one that takes its time, or does not
answer at all, has half of the room at most, two have a third each, and one that comes later finds room.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Receiver:
    """What waits for its turn, and how many are under way."""

    waiting: deque[str] = field(default_factory=deque)
    under_way: int = 0


class Turns:
    """`at_once` is how many may be under way, of all receivers together."""

    def __init__(self, at_once: int) -> None:
        self._room = at_once
        self._receivers: dict[str, _Receiver] = {}
        self._in_turn: deque[str] = deque()  # those with something that waits

    def __len__(self) -> int:
        """How many receivers have something that waits or is under way."""
        return len(self._receivers)

    def add(self, receiver: str, task_id: str) -> None:
        """Lets a task wait for its turn."""
        there = self._receivers.setdefault(receiver, _Receiver())
        if not there.waiting:
            self._in_turn.append(receiver)
        there.waiting.append(task_id)

    def next(self) -> tuple[str, str] | None:
        """The receiver and the task whose turn it is; under way from now on. None if there is no room for any.

        Receivers have turns one after the other. Who is passed over has something under way, so the search is short
        however many wait.
        """
        if not self._room:
            return None
        for _ in range(len(self._in_turn)):
            receiver = self._in_turn.popleft()
            there = self._receivers[receiver]
            if there.under_way >= self._room:
                self._in_turn.append(receiver)
                continue
            task_id = there.waiting.popleft()
            there.under_way += 1
            self._room -= 1
            if there.waiting:
                self._in_turn.append(receiver)
            return receiver, task_id
        return None

    def ended(self, receiver: str) -> None:
        """One that was under way has ended."""
        there = self._receivers[receiver]
        there.under_way -= 1
        self._room += 1
        if not there.waiting and not there.under_way:
            del self._receivers[receiver]
