"""Webhooks: the callers that want it are told of the end of their tasks, at least once, whatever dies.

A delivery begins with its task's end: the same write to the journal makes both. What waits for its time costs an entry
in memory and a place in a heap; only tries that are under way have a connection and an asyncio task.
A receiver is a host with its port; `Turns` sees to it that no receiver keeps another waiting.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

from deployments.errors import Conflict, no_such_task
from deployments.tasks.entry import Entry
from deployments.tasks.log_context import task_context
from deployments.tasks.record import Task
from deployments.tasks.replaced import replaced
from deployments.tasks.turns import Turns
from deployments.tasks.webhook import Answer, Webhook, WebhookState

logger = logging.getLogger(__name__)

AT_ONCE = 128
"""Tries under way, of all receivers together."""
JITTER = 0.2
"""A pause grows by up to this share of it, so that those who failed together do not come back together."""
_PORTS = {"http": 80, "https": 443}
LOST_S = 2.0
"""The pause after a try whose process was lost: nobody knows whether it was made, so it is made again."""


@dataclass(frozen=True)
class WebhookCall:
    """One try: the task as it is to be told, and the URL to tell it to."""

    task: Task
    url: str


Deliver = Callable[[WebhookCall], Awaitable[Answer]]
"""Makes a try. Raises only if the process that made it, or the way to it, was lost."""


class EndedTasks(Protocol):
    """The ledger, as far as webhooks need it."""

    async def ended(self, task_id: str) -> Entry | None:
        """The entry of a task that has ended; None where there is none."""
        ...

    async def rewrite(self, entry: Entry) -> bool:
        """Makes a change of an ended task durable, and shows it; False where the task has been forgotten."""
        ...


@dataclass(slots=True)
class _Delivery:
    """The webhook of an ended task, which waits for its next try at `due_at`, or for the end of one that is under way.

    `changing` is locked while the entry changes.
    """

    entry: Entry
    due_at: float = 0.0
    is_under_way: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Webhooks:
    """Lives on one event loop, where `run` runs. `on_try` is called with each webhook that was tried.

    `clock` tells the time, `monotonic` counts the seconds of pauses, and `draw` gives a number between 0 and 1.
    """

    def __init__(  # noqa: PLR0913 - four of them only tests give
        self,
        tasks: EndedTasks,
        deliver: Deliver,
        *,
        clock: Callable[[], datetime],
        on_change: Callable[[Task], None] = lambda _: None,
        on_try: Callable[[Webhook], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        at_once: int = AT_ONCE,
    ) -> None:
        self._tasks = tasks
        self._deliver = deliver
        self._clock = clock
        self._on_change = on_change
        self._on_try = on_try
        self._monotonic = monotonic
        self._draw = draw
        self._turns = Turns(at_once)
        self._deliveries: dict[str, _Delivery] = {}
        self._due: list[tuple[float, int, str]] = []  # a heap; only what is due at its delivery's `due_at` counts
        self._numbers = count()
        self._trying: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._finding = asyncio.Lock()

    def __len__(self) -> int:
        """How many wait for a try, or are being tried."""
        return len(self._deliveries)

    def add(self, entry: Entry) -> None:
        """Takes over the webhook of a task that has ended, if it has one that waits: also after a restart."""
        webhook = entry.task.webhook
        if entry.webhook_url is None or webhook is None or not webhook.is_waiting:
            return
        delivery = self._deliveries[entry.task.id] = _Delivery(entry)
        waited_s = (self._clock() - webhook.last.at).total_seconds() if webhook.last else 0.0
        self._schedule(delivery, self._pause_after(webhook) - max(waited_s, 0.0))

    async def send_again(self, task_id: str) -> Task:
        """Begins the schedule anew, and returns the task as it is then.

        Raises:
            NotFound: there is no such task.
            Conflict: it has not ended, or has no webhook.
        """
        while True:
            async with self._finding:  # of two who ask at once, the second finds what the first one has found
                delivery = self._deliveries.get(task_id) or await self._found(task_id)
                self._deliveries[task_id] = delivery
            if await self._changed(delivery, lambda webhook: webhook.again()):
                self._schedule(delivery, 0.0)
                return delivery.entry.task
            # its last try has just ended, and the delivery with it; or the task is gone, and is not found again

    async def amend(self, task_id: str, change: Callable[[Entry], Entry]) -> bool:
        """Changes the entry of an ended task, whether or not its webhook waits; False where there is none any more."""
        async with self._finding:
            delivery = self._deliveries.get(task_id)
            if delivery is None:
                entry = await self._tasks.ended(task_id)
                return entry is not None and await self._tasks.rewrite(change(entry))
        return await self._rewritten(delivery, change)

    async def drop(self, task_ids: Iterable[str]) -> None:
        """Ends deliveries: no try of them begins any more, and what becomes of one that is under way is not kept."""
        for task_id in task_ids:
            if (delivery := self._deliveries.pop(task_id, None)) is not None:
                async with delivery.changing:
                    pass

    async def run(self) -> NoReturn:
        """Makes the tries when they are due, for ever."""
        while True:
            self._news.clear()
            seconds = self.turn()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()

    def turn(self) -> float | None:
        """Starts what is due and finds room; returns the seconds until something else is due (None: nothing is)."""
        now = self._monotonic()
        while self._due and self._due[0][0] <= now:
            due_at, _, task_id = heappop(self._due)
            if (delivery := self._deliveries.get(task_id)) is not None and delivery.due_at == due_at:
                self._turns.add(_receiver_of(delivery), task_id)
        while (turn := self._turns.next()) is not None:
            self._start(*turn)
        return self._due[0][0] - now if self._due else None

    async def _found(self, task_id: str) -> _Delivery:
        entry = await self._tasks.ended(task_id)
        if entry is None:
            raise no_such_task()
        if entry.webhook_url is None:
            raise Conflict("The task has no webhook.")
        return _Delivery(entry)

    def _pause_after(self, webhook: Webhook) -> float:
        return webhook.pause_s * (1 + JITTER * self._draw())

    def _schedule(self, delivery: _Delivery, pause_s: float) -> None:
        """The next try is made after `pause_s` seconds, and not when another one was to be made."""
        delivery.due_at = self._monotonic() + max(pause_s, 0.0)
        heappush(self._due, (delivery.due_at, next(self._numbers), delivery.entry.task.id))
        self._news.set()

    def _start(self, receiver: str, task_id: str) -> None:
        delivery = self._deliveries.get(task_id)
        if delivery is None or delivery.is_under_way:  # whose end says when the next one is due
            self._turns.ended(receiver)
            return
        delivery.is_under_way = True
        trying = asyncio.create_task(self._try(receiver, delivery))
        self._trying.add(trying)
        trying.add_done_callback(self._trying.discard)

    async def _try(self, receiver: str, delivery: _Delivery) -> None:
        with task_context(delivery.entry.task.id):
            try:
                pause_s = await self._tried(delivery)
            except Exception:
                logger.exception("A webhook's try broke.")
                pause_s = LOST_S
            finally:
                delivery.is_under_way = False
                self._turns.ended(receiver)
                self._news.set()
            if pause_s is not None:
                self._schedule(delivery, pause_s)

    async def _tried(self, delivery: _Delivery) -> float | None:
        """Makes a try and keeps what was answered; returns the pause before the next one, None where none follows."""
        task, in_round = delivery.entry.task, _webhook_of(delivery).round
        try:
            answer = await self._deliver(WebhookCall(task, delivery.entry.webhook_url or ""))
        except Exception as error:
            logger.info("A try of a webhook was lost: %s", type(error).__name__)
            return LOST_S
        now = self._clock()
        if not await self._changed(delivery, lambda webhook: webhook.tried(in_round, now, answer)):
            return None
        webhook = _webhook_of(delivery)
        if webhook.tries > 1 or webhook.state is not WebhookState.DELIVERED:  # what goes well at once has no line
            logger.info("webhook: try %d, answer %s, %s.", webhook.tries, answer, webhook.state)
        self._on_try(webhook)
        if webhook.is_waiting:
            return self._pause_after(webhook)
        del self._deliveries[task.id]
        return None

    async def _changed(self, delivery: _Delivery, change: Callable[[Webhook], Webhook]) -> bool:
        """Changes the webhook, durably; False where the delivery was ended, or its task is forgotten."""

        def changed(entry: Entry) -> Entry:
            return replaced(entry, task=replaced(entry.task, webhook=change(_webhook_of(delivery))))

        return await self._rewritten(delivery, changed)

    async def _rewritten(self, delivery: _Delivery, change: Callable[[Entry], Entry]) -> bool:
        async with delivery.changing:
            task_id = delivery.entry.task.id
            if self._deliveries.get(task_id) is not delivery:
                return False
            entry = change(delivery.entry)
            if not await self._tasks.rewrite(entry):
                self._deliveries.pop(task_id, None)
                return False
            delivery.entry = entry
            self._on_change(entry.task)
        return True


def _webhook_of(delivery: _Delivery) -> Webhook:
    webhook = delivery.entry.task.webhook
    if webhook is None:
        raise ValueError("the task has no webhook")
    return webhook


def _receiver_of(delivery: _Delivery) -> str:
    """Host and port; of a URL that another version has let through, whatever it is."""
    url = delivery.entry.webhook_url or ""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"
    except ValueError:
        return url
