"""Webhooks of ended tasks, with a clock that a test moves, and receivers that it plays."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from deployments.errors import ErrorCode
from deployments.tasks.entry import Entry
from deployments.tasks.record import Failure, Task
from deployments.tasks.webhook import Answer, Webhook
from deployments.tasks.webhooks import WebhookCall, Webhooks
from tests.tasks.in_process import AT, task_and_work, turns

URL = "https://receiver.example/hook?secret=1"


NEW = Webhook()


def ended(task_id: str, url: str | None = URL, webhook: Webhook | None = NEW) -> Entry:
    """A task that has ended, with a webhook that waits."""
    task = replace(task_and_work(task_id)[0], webhook=webhook)
    return Entry(task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT), webhook_url=url)


class Ended:
    """The ledger's part; `forgotten` tasks are there no more."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.forgotten: set[str] = set()
        self.writes = 0
        self.fault: Exception | None = None
        self.writing = asyncio.Event()
        self.writing.set()

    async def ended(self, task_id: str) -> Entry | None:
        await asyncio.sleep(0)
        return None if task_id in self.forgotten else self.entries.get(task_id)

    async def rewrite(self, entry: Entry) -> bool:
        await self.writing.wait()
        if self.fault is not None:
            raise self.fault
        if entry.task.id in self.forgotten:
            return False
        self.writes += 1
        self.entries[entry.task.id] = entry
        return True

    def webhook(self, task_id: str) -> Webhook:
        webhook = self.entries[task_id].task.webhook
        assert webhook is not None
        return webhook


class Receivers:
    """Answers each try as `answer` says; None lets it wait for `let_go`."""

    def __init__(self) -> None:
        self.tried: list[tuple[float, str]] = []
        self.calls: list[WebhookCall] = []
        self.answer: Callable[[WebhookCall], Answer | Exception | None] = lambda _: 200
        self.waiting: dict[str, asyncio.Future[Answer]] = {}

    async def take(self, call: WebhookCall) -> Answer:
        self.calls.append(call)
        answer = self.answer(call)
        if answer is None:
            self.waiting[call.task.id] = asyncio.get_running_loop().create_future()
            return await self.waiting[call.task.id]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def let_go(self, task_id: str, answer: Answer) -> None:
        self.waiting[task_id].set_result(answer)


class World:
    """`seconds` have passed since the beginning."""

    def __init__(self, *, at_once: int = 4, draw: float = 0.0) -> None:
        self.seconds = 0.0
        self.tasks = Ended()
        self.receivers = Receivers()
        self.told: list[Task] = []
        self.outcomes: list[Webhook] = []
        self.draw = draw
        self.at_once = at_once
        self.webhooks = self.restarted()

    def restarted(self) -> Webhooks:
        """As a new process has them, once it has read the journal."""
        self.webhooks = Webhooks(
            self.tasks,
            self.receivers.take,
            clock=lambda: AT + timedelta(seconds=self.seconds),
            on_change=self.told.append,
            on_try=self.outcomes.append,
            monotonic=lambda: self.seconds,
            draw=lambda: self.draw,
            at_once=self.at_once,
        )
        for entry in self.tasks.entries.values():
            self.webhooks.add(entry)
        return self.webhooks

    def end(self, *entries: Entry) -> None:
        """These tasks end now."""
        for entry in entries:
            self.tasks.entries[entry.task.id] = entry
            self.webhooks.add(entry)

    async def settle(self) -> float | None:
        """Lets all happen that happens now; answers the seconds until something is due."""
        due_in: float | None = 0.0
        for _ in range(30):
            due_in = self.webhooks.turn()
            await turns()
        return due_in

    async def wait(self, seconds: float) -> None:
        self.seconds += seconds
        await self.settle()
