"""Questions that travel together: one message carries many, and each is answered as soon as its own answer is there.

While a message is on its way, what is asked meanwhile gathers for the next one. So where there is little to do each
question sets out at once; and the busier everybody is, the longer a message takes to arrive, and the more the next one
carries. Where thousands are under way, messages pause besides: each that is open costs memory in two processes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Answers = AsyncIterator[Sequence[tuple[int, Answer | Exception]]]
"""Answers as they come: each with the place of its question, and with a value or the exception to raise.

The first item, which may be empty, tells that the message has arrived.
"""

_Batch = list[tuple[Question, asyncio.Future[Answer]]]

MOST = 64
"""Questions in a message."""
MOST_BYTES = 16_000_000
"""In a message of more than one question."""


class Pace(NamedTuple):
    """Seconds between messages.

    The next message is sent once the last one has arrived, and at the latest after `transit_s`, even if that has not
    been acknowledged: it may go to another replica. Before that comes a pause for each question that is under way.
    """

    transit_s: float = 0.1
    pause_s: float = 20e-6
    longest_pause_s: float = 0.05


PACE = Pace()


class Batches(Generic[Question, Answer]):
    """Asks `send`, many questions at a time.

    `size` estimates a question's bytes, if they matter. `most` and `most_bytes` bound a message. Not thread-safe: it
    lives on one event loop.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Question]], Answers[Answer]],
        size: Callable[[Question], int] = lambda _: 0,
        *,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        pace: Pace = PACE,
    ) -> None:
        self._send = send
        self._size = size
        self._most = most
        self._most_bytes = most_bytes
        self._pace = pace
        self._waiting: deque[tuple[Question, asyncio.Future[Answer]]] = deque()
        self._dispatching: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._unanswered = 0

    async def ask(self, question: Question) -> Answer:
        """The answer; raises what it is answered with, what `send` raises, or `LookupError` where no answer came.

        Cancelling this cancels nobody else; a question that has not set out yet never does.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        del question  # it may be large, and is kept no longer than its message needs it
        if self._dispatching is None or self._dispatching.done():
            self._dispatching = asyncio.create_task(self._dispatch())
        self._unanswered += 1
        try:
            return await answer
        finally:
            self._unanswered -= 1

    async def _dispatch(self) -> None:
        while batch := self._next():
            arrived = asyncio.get_running_loop().create_future()
            carrying = asyncio.create_task(self._carry(batch, arrived))
            del batch
            self._under_way.add(carrying)
            carrying.add_done_callback(self._under_way.discard)
            await asyncio.wait({arrived}, timeout=self._pace.transit_s)
            travelling = self._unanswered - len(self._waiting)
            await asyncio.sleep(min(travelling * self._pace.pause_s, self._pace.longest_pause_s))

    def _next(self) -> _Batch[Question, Answer]:
        """The next message: none only where nobody waits."""
        batch: _Batch[Question, Answer] = []
        size = 0
        while self._waiting and len(batch) < self._most:
            question, answer = self._waiting[0]
            if not answer.cancelled():
                size += self._size(question)
                if batch and size > self._most_bytes:
                    break
                batch.append((question, answer))
            self._waiting.popleft()
        return batch

    async def _carry(self, batch: _Batch[Question, Answer], arrived: asyncio.Future[None]) -> None:
        waiting = [answer for _, answer in batch]
        lost: Exception = LookupError("the message was not answered")
        try:
            answering = self._send([question for question, _ in batch])
            del batch
            async for answers in answering:
                _settle(arrived, None)
                for place, answer in answers:
                    _settle(waiting[place], answer)
        except Exception as error:
            lost = error
        finally:  # also where the way to the other side is torn down, which cancels
            _settle(arrived, None)
            for unanswered in waiting:
                _settle(unanswered, lost)


def _settle(waiting: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
