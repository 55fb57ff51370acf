"""Calls that set out together: what is asked for in one turn of the event loop makes one message.

A loop with little to do turns at once, so nothing waits; the more there is to do, the more a turn gathers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batches(Generic[Question, Answer]):
    """Asks `send`, many questions at a time. It answers each, in order, with a value or with the exception to raise.

    Not thread-safe: it lives on one event loop. An answer comes when all of its batch are there.
    """

    def __init__(self, send: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | BaseException]]]) -> None:
        self._send = send
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """The answer; raises what `send` raises or answers with. Cancelling this cancels nobody else."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._set_out)
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        return await answer

    def _set_out(self) -> None:
        batch, self._waiting = self._waiting, []
        sending = asyncio.ensure_future(self._settle(batch))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _settle(self, batch: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | BaseException]
        try:
            answers = await self._send([question for question, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if waiting.cancelled():
                continue
            if isinstance(answer, BaseException):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
