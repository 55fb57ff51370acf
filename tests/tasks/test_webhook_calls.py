"""Tries of webhooks on their way: each is answered when it is over."""

import asyncio

from deployments.tasks.batches import Batches
from deployments.tasks.webhook import Answer
from deployments.tasks.webhook_calls import delivered_together
from deployments.tasks.webhooks import WebhookCall
from tests.tasks.deliveries import URL, Receivers, ended
from tests.tasks.in_process import turns


async def test_a_slow_one_holds_up_no_other() -> None:
    """Of its own message; and the sender knows at once that they have arrived."""
    receivers = Receivers()
    receivers.answer = lambda call: None if call.task.id == "slow" else 204
    batches = Batches[WebhookCall, Answer](lambda calls: delivered_together(calls, receivers.take))
    calls = [WebhookCall(ended(name).task, URL) for name in ("slow", "a", "b")]
    asked = [asyncio.create_task(batches.ask(call)) for call in calls]
    await turns()
    assert [one.done() for one in asked] == [False, True, True]
    receivers.let_go("slow", 500)
    assert await asyncio.gather(*asked) == [500, 204, 204]


async def test_who_stops_listening_ends_them() -> None:
    """As when the actor that asked has died."""
    receivers = Receivers()
    receivers.answer = lambda _: None
    answering = delivered_together([WebhookCall(ended("t").task, URL)], receivers.take)
    assert await anext(answering) == []
    listening = asyncio.ensure_future(anext(answering))
    await turns()
    waiting = receivers.waiting["t"]
    listening.cancel()
    await turns()
    assert waiting.cancelled()
