"""Batches: what is asked at once travels at once, and each gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from deployments.tasks.batches import Batches


class Oracle:
    """Answers a number with its double, 0 with an error, and a batch with 13 in it not at all."""

    def __init__(self) -> None:
        self.heard: list[list[int]] = []

    async def __call__(self, questions: Sequence[int]) -> list[int | BaseException]:
        self.heard.append(list(questions))
        await asyncio.sleep(0)
        if 13 in questions:
            raise ConnectionError("it died")
        return [2 * question if question else ValueError("zero") for question in questions]


async def test_what_is_asked_at_once_travels_at_once() -> None:
    """And what is asked later does not wait for it."""
    oracle = Oracle()
    batches = Batches[int, int](oracle)
    assert await asyncio.gather(*(batches.ask(number) for number in (1, 2, 3))) == [2, 4, 6]
    assert await batches.ask(4) == 8
    assert oracle.heard == [[1, 2, 3], [4]]


async def test_each_gets_its_own_answer_or_error() -> None:
    """One that fails spoils no other."""
    batches = Batches[int, int](Oracle())
    answers = await asyncio.gather(*(batches.ask(number) for number in (1, 0, 2)), return_exceptions=True)
    assert answers[::2] == [2, 4]
    assert isinstance(answers[1], ValueError)


async def test_when_the_message_is_lost_all_of_it_are_told() -> None:
    """Whoever waits must hear of it."""
    batches = Batches[int, int](Oracle())
    asking = [asyncio.create_task(batches.ask(number)) for number in (1, 13)]
    for one in asking:
        with pytest.raises(ConnectionError):
            await one


async def test_who_stops_waiting_disturbs_nobody() -> None:
    """A cancelled question is asked all the same; the others get their answers."""
    oracle = Oracle()
    batches = Batches[int, int](oracle)
    asking = [asyncio.create_task(batches.ask(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    asking[0].cancel()
    assert await asking[1] == 4
    assert oracle.heard == [[1, 2]]
