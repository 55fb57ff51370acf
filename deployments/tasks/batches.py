"""Batches: one message carries many questions. Each question is answered as soon as its own answer is there.

While as many messages are on their way as `Pace` says (two to TaskStatus, and two to each stage), new questions gather
for the next one. So an idle service sends each question at once. In a busy service a message takes longer to arrive,
and the next one carries more. With thousands of questions unanswered, there is also a pause between messages, because
each open message costs memory in two processes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Answers = AsyncIterator[Sequence[tuple[int, Answer | Exception]]]
"""Answers as they come. Each has the index of its question, and a value or the exception to raise.

The first item acknowledges the message; it may be empty.
"""

_Batch = list[tuple[Question, asyncio.Future[Answer]]]

MOST = 64
"""The most questions in a message."""
MOST_BYTES = 16_000_000
"""The most bytes in a message of more than one question."""


class Pace(NamedTuple):
    """When the next message is sent.

    It waits while `on_their_way` messages are not acknowledged, but at most `transit_s` seconds: it may go to another
    replica. Then it waits `pause_s` for each question that is sent and unanswered, but at most `longest_pause_s`.
    """

    transit_s: float = 0.1
    pause_s: float = 20e-6
    longest_pause_s: float = 0.05
    on_their_way: int = 1


PACE = Pace()
BETWEEN_PROCESSES = Pace(on_their_way=2)
"""With one at a time, all tasks gather in it and go from process to process together. Then the processes work one after
the other, however many cores there are (benchmarks/README.md).
"""


class Batches(Generic[Question, Answer]):
    """Sends questions through `send`, many in a message.

    `size` estimates the bytes of a question, if they matter. `most` and `most_bytes` bound a message. Not thread-safe:
    use it on one event loop.
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
        self._on_their_way: set[asyncio.Future[None]] = set()
        self._unanswered = 0

    async def ask(self, question: Question) -> Answer:
        """The answer to `question`. Cancelling this cancels no other question; one that is not sent yet never is.

        Raises:
            LookupError: `send` ended without an answer to it.
            Exception: whatever the other side answered with, or whatever `send` raised.
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
            self._on_their_way.add(arrived)
            arrived.add_done_callback(self._on_their_way.discard)
            if len(self._on_their_way) >= self._pace.on_their_way:
                first = asyncio.FIRST_COMPLETED
                await asyncio.wait(self._on_their_way, timeout=self._pace.transit_s, return_when=first)
            travelling = self._unanswered - len(self._waiting)
            await asyncio.sleep(min(travelling * self._pace.pause_s, self._pace.longest_pause_s))

    def _next(self) -> _Batch[Question, Answer]:
        """The questions of the next message; empty only if none wait."""
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
