"""The way to the actor, where the actor is lost on it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from ray.actor import ActorHandle
from ray.exceptions import RayActorError

from deployments.errors import Conflict, Unavailable
from deployments.runtime.client import TaskStatusClient
from deployments.tasks.entry import Binding
from deployments.tasks.messages import (
    ClaimSubmit,
    Delivery,
    FindBoundTask,
    GetTask,
    Message,
    PassOver,
    RecordReceipt,
    ReleaseClaim,
)

Answer = Callable[[Sequence[Message[object]]], list[object] | None]


class Method:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def remote(self, messages: Sequence[Message[object]]) -> list[object]:
        if (answers := self._answer(messages)) is None:
            await asyncio.Event().wait()
        return answers or []


class Actor:
    """Answers each call with `answer`; where that is None, never."""

    def __init__(self, answer: Answer) -> None:
        self.handle = Method(answer)


def killed(_: object) -> list[object]:
    raise RayActorError


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


class Found:
    """One actor after the other is found; where there is none, there is no actor yet."""

    def __init__(self, *answers: Answer) -> None:
        self.actors = deque(Actor(answer) for answer in answers)
        self.client = TaskStatusClient(self.find, sleep=no_pause)

    def find(self) -> ActorHandle[object]:
        if not self.actors:
            raise ValueError
        return cast(ActorHandle[object], self.actors.popleft())


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        (ClaimSubmit("t", 1, "step", "fal", "token"), "request 1"),
        (RecordReceipt("t", "step", "fal", "token", "request 1"), None),
        (PassOver("t", 1, "step", "fal", "it is busy"), None),
        (ReleaseClaim("t", "step", "fal", "token"), None),
    ],
)
async def test_what_a_stage_has_paid_for_is_heard_by_the_actors_successor(
    message: Message[str | None], reply: str | None
) -> None:
    """A receipt that got lost would make a paid picture one of which nobody knows."""
    heard: list[object] = []

    def answer(messages: Sequence[Message[object]]) -> list[object]:
        heard.extend(messages)
        return [reply]

    assert await Found(killed, killed, answer).client.ask(message) == reply
    assert heard == [message]


async def test_whoever_may_ask_again_is_told_to() -> None:
    """A client's request is answered with 503."""
    for found in (Found(killed), Found()):
        with pytest.raises(Unavailable, match="The task status actor is restarting"):
            await found.client.ask(GetTask("t"))


async def test_an_actor_that_does_not_answer_is_waited_for_no_longer_than_the_message_says() -> None:
    """Then its sender is told so."""

    class Impatient(GetTask):
        delivery = Delivery(batched=False, patience_s=0)

    with pytest.raises(Unavailable, match="does not answer"):
        await Found(lambda _: None).client.ask(Impatient("t"))


async def test_messages_that_are_sent_at_once_share_a_call_and_each_gets_its_own_reply() -> None:
    """Also where a handler refuses one of them."""
    calls: list[int] = []

    def answer(messages: Sequence[Message[object]]) -> list[object]:
        calls.append(len(messages))
        return [None, Conflict("This Idempotency-Key was used with a different request.")]

    client = Found(answer).client
    asked = (GetTask("t"), FindBoundTask(Binding("key", "request")))
    got, bound = await asyncio.gather(*map(client.ask, asked), return_exceptions=True)
    assert (calls, got, type(bound)) == ([2], None, Conflict)


async def test_the_event_loop_goes_on_while_ray_looks_for_the_actor() -> None:
    """It blocks while the head is away. However many messages wait for it, it is looked for once."""
    went_on, looked = threading.Event(), 0

    def find() -> ActorHandle[object]:
        nonlocal looked
        looked += 1
        assert went_on.wait(10)
        return cast(ActorHandle[object], Actor(lambda messages: [None] * len(messages)))

    class Alone(GetTask):
        delivery = Delivery(batched=False, patience_s=10)

    client = TaskStatusClient(find)
    asking = [asyncio.create_task(client.ask(Alone("t"))) for _ in range(20)]
    asyncio.get_running_loop().call_later(0, went_on.set)
    assert await asyncio.gather(*asking) == [None] * 20
    assert looked == 1
