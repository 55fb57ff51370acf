"""Keys in order. To add one, to remove one, and to read on from any place costs hardly more where there are many."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, Protocol, Self, TypeVar

MOST = 1_000
"""Keys in a block; a fuller one is cut in two."""


class Comparable(Protocol):
    def __lt__(self, other: Self, /) -> bool: ...


K = TypeVar("K", bound=Comparable)


class Ordered(Generic[K]):
    """Each key once. Blocks follow one another in order, and none is empty: a small list is cheap to change."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: list[list[K]] = []

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def add(self, key: K) -> None:
        """Adds a key that is not there."""
        if not self._blocks:
            self._blocks.append([key])
            return
        place = min(self._block_of(key), len(self._blocks) - 1)
        block = self._blocks[place]
        insort(block, key)
        if len(block) > MOST:
            self._blocks[place : place + 1] = [block[: MOST // 2], block[MOST // 2 :]]

    def remove(self, key: K) -> None:
        """Removes a key that is there."""
        place = self._block_of(key)
        block = self._blocks[place]
        del block[bisect_left(block, key)]
        if not block:
            del self._blocks[place]

    def below(self, key: K | None) -> Iterator[K]:
        """The keys below `key` (None: all), the greatest first."""
        place = len(self._blocks) if key is None else self._block_of(key)
        if key is not None and place < len(self._blocks):
            block = self._blocks[place]
            yield from (block[at] for at in range(bisect_left(block, key) - 1, -1, -1))
        for earlier in range(place - 1, -1, -1):
            yield from reversed(self._blocks[earlier])

    def _block_of(self, key: K) -> int:
        """The place of the block that holds the key if any does: the first one that does not end below it."""
        return bisect_left(self._blocks, key, key=_last)


def _last(block: list[K]) -> K:
    return block[-1]
