"""The feed: all that happens of one kind, in order, for those in other processes who follow it."""

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import uuid4

KEPT = 5_000
"""Items; whoever falls further behind has a gap."""


class Identified(Protocol):
    """What a feed tells of; of two items with one id, the newer says all."""

    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Identified)


class Mark(NamedTuple):
    """A place in a feed: the feed's own name, and the number of an item."""

    feed: str
    number: int


class Changes(NamedTuple, Generic[T]):
    """What is new since an earlier mark: the newest item of each id.

    Where the earlier mark leads nowhere (any more), this is all that the feed still has.
    """

    mark: Mark
    items: list[T]


class Feed(Generic[T]):
    """Not thread-safe: it lives on one event loop."""

    def __init__(self, keep: int = KEPT) -> None:
        self._name = uuid4().hex
        self._latest = 0
        self._log: deque[T] = deque(maxlen=keep)
        self._news = asyncio.Event()

    def append(self, item: T) -> None:
        """Tells it to all who follow."""
        self._latest += 1
        self._log.append(item)
        self._news.set()
        self._news = asyncio.Event()

    async def since(self, mark: Mark | None, patience_s: float) -> Changes[T]:
        """What is new since `mark`: as soon as there is something, or nothing after `patience_s` seconds."""
        heard = mark.number if mark is not None and mark.feed == self._name else -1
        if heard == self._latest:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):  # Python 3.11's wait_for may lose a cancellation
                    await self._news.wait()
        missed = self._latest - heard
        news = islice(self._log, max(0, len(self._log) - missed), None)
        newest = {item.id: item for item in news}
        return Changes(Mark(self._name, self._latest), list(newest.values()))
