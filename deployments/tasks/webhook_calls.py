"""Tries of webhooks on their way to the process that makes them: many in a message, each answered when it is over."""

import asyncio
from collections.abc import Sequence

from deployments.tasks.batches import Answers
from deployments.tasks.webhook import Answer
from deployments.tasks.webhooks import Deliver, WebhookCall


async def delivered_together(calls: Sequence[WebhookCall], deliver: Deliver) -> Answers[Answer]:
    """Makes all tries at once, and yields each answer as it comes. Whoever stops listening ends them all."""
    trying = {asyncio.ensure_future(deliver(call)): place for place, call in enumerate(calls)}
    try:
        yield []  # they have arrived
        while trying:
            done, _ = await asyncio.wait(trying, return_when=asyncio.FIRST_COMPLETED)
            yield [(trying.pop(one), one.result()) for one in done]
    finally:
        for one in trying:
            one.cancel()
