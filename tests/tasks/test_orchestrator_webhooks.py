"""Webhooks begin with their task's end, in one write, and go on after a crash at any moment."""

import asyncio
from dataclasses import replace

import pytest

from deployments.errors import Conflict, NotFound
from deployments.settings import Settings
from deployments.tasks.entry import Entry
from deployments.tasks.followers import News
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.mirror import Mirror
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task
from deployments.tasks.task_index import Wanted
from deployments.tasks.webhook import Webhook, WebhookState
from deployments.tasks.work import Outcome, StepRequest, Work
from tests.tasks.deliveries import URL, Receivers
from tests.tasks.entries import all_entries
from tests.tasks.in_process import Asker, FakeStages, asker_of, end_of, finish, no_sleep, task_and_work, turns


class Writes(MemoryJournal):
    """Keeps each entry that was written."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        self.entries.append(entry)
        await super().write(entry, work)


def with_webhook(task_id: str = "t") -> tuple[Task, Work]:
    task, work = task_and_work(task_id)
    return replace(task, webhook=Webhook()), replace(work, webhook_url=URL)


async def process(journal: MemoryJournal, receivers: Receivers, **settings: object) -> Orchestrator:
    """An orchestrator as a new process has it."""
    stages = FakeStages(finish)
    made = Orchestrator(Settings.model_validate(settings), journal, stages.send, deliver=receivers.take, sleep=no_sleep)
    stages.orchestrator = made
    await made.recover()
    return made


async def until_tried(a: Orchestrator, tries: int, task_id: str = "t") -> Webhook:
    async with asyncio.timeout(10):
        while True:
            task = await a.get(task_id)
            assert task is not None
            if task.webhook is not None and task.webhook.tries == tries:
                return task.webhook
            await asyncio.sleep(0)


async def test_the_write_that_ends_a_task_begins_its_webhook() -> None:
    """No write lies between: whatever dies, it is made."""
    journal = Writes()
    a = await process(journal, Receivers())
    await a.submit(*with_webhook())
    await until_tried(a, 1)
    ended = [entry for entry in journal.entries if entry.task.is_ended]
    assert ended[0].task.webhook == Webhook()
    assert ended[0].webhook_url == URL
    assert [entry.task.webhook.state for entry in ended if entry.task.webhook] == ["waiting", "delivered"]
    assert all(entry.webhook_url == URL for entry in journal.entries)


async def test_after_a_crash_between_the_end_and_the_webhook_it_is_sent() -> None:
    """With the same id, which is the task's; also where the first process had sent it and not noted that."""
    journal, first, second = Writes(), Receivers(), Receivers()
    first.answer = lambda _: None  # dies meanwhile
    a = await process(journal, first)
    await a.submit(*with_webhook())
    await end_of(a)
    await turns()
    b = await process(journal, second)
    assert (await until_tried(b, 1)).state is WebhookState.DELIVERED
    assert [call.task.id for call in first.calls] == [call.task.id for call in second.calls] == ["t"]


async def test_a_delivered_webhook_is_not_sent_after_a_restart() -> None:
    """Nor one that was given up."""
    journal, receivers = MemoryJournal(), Receivers()
    receivers.answer = lambda call: 410 if call.task.id == "gone" else 200
    a = await process(journal, receivers)
    for task_id in ("t", "gone"):
        await a.submit(*with_webhook(task_id))
        await until_tried(a, 1, task_id)
    again = Receivers()
    await process(journal, again)
    await turns()
    assert again.calls == []


async def test_a_running_task_has_its_webhook_after_a_restart() -> None:
    """And tells of its end then."""
    journal, receivers = MemoryJournal(), Receivers()

    async def never(_: StepRequest) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    a = Orchestrator(Settings(), journal, FakeStages(never).send, deliver=receivers.take)
    await a.submit(*with_webhook())
    b = await process(journal, receivers)
    assert (await until_tried(b, 1)).state is WebhookState.DELIVERED
    assert [call.task.status for call in receivers.calls] == [Status.DONE]


async def test_mirrors_hear_of_each_try_and_metrics_count_the_end_once() -> None:
    """A webhook's tries change no count of tasks."""
    receivers, changes = Receivers(), list[Task]()
    stages = FakeStages(finish)
    tried = list[Webhook]()
    a = Orchestrator(
        Settings(),
        MemoryJournal(),
        stages.send,
        deliver=receivers.take,
        on_change=changes.append,
        on_webhook=tried.append,
    )
    stages.orchestrator = a
    await a.recover()
    mirror = Mirror(asker_of(a), sleep=no_sleep)
    following = asyncio.create_task(mirror.follow())
    await turns()
    states = [state async for state in mirror.watch(await a.submit(*with_webhook()))]
    delivered = await until_tried(a, 1)
    assert sum(task.is_ended for task in changes) == 1
    assert tried == [delivered]
    shown = await mirror.get("t")
    assert shown is not None
    assert states[-1] is not None
    assert (states[-1].status, shown.webhook) == (shown.status, delivered)
    following.cancel()
    assert a.index.page(Wanted("default"), None, 1).tasks[0].webhook == delivered


async def test_it_can_be_sent_again_after_a_restart() -> None:
    """Its URL is in the journal; a task that is running, has none, or is unknown is refused."""
    journal, receivers = MemoryJournal(), Receivers()
    a = await process(journal, receivers)
    await a.submit(*with_webhook())
    await until_tried(a, 1)
    await a.submit(*task_and_work("none"))
    await end_of(a, "none")
    b = await process(journal, receivers)
    task = await b.send_webhook_again("t")
    assert task.webhook is not None
    assert task.webhook.state is WebhookState.WAITING
    assert (await until_tried(b, 2)).state is WebhookState.DELIVERED
    assert [call.url for call in receivers.calls] == [URL, URL]
    with pytest.raises(Conflict, match="no webhook"):
        await b.send_webhook_again("none")
    with pytest.raises(NotFound, match="There is no such task"):
        await b.send_webhook_again("nobody")


async def test_a_webhook_ends_with_the_task_that_is_forgotten() -> None:
    """Retention counts from the task's end: a delivery keeps no task."""
    journal, receivers = MemoryJournal(), Receivers()
    receivers.answer = lambda _: 500
    a = await process(journal, receivers, retention={"tasks": 1})
    for task_id in ("t", "u"):
        await a.submit(*with_webhook(task_id))
        await until_tried(a, 1, task_id)
    assert a.tasks.get("t") is None
    assert [entry.task.id for entry in await all_entries(journal)] == ["u"]


async def test_who_asks_for_it_again_is_answered_once_the_mirror_that_shows_the_task_has_heard() -> None:
    """It would show them the former outcome afterwards."""
    a = await process(MemoryJournal(), Receivers())
    await a.submit(*with_webhook())
    await until_tried(a, 1)
    mirror = Asker(a.followers, "m")
    await mirror.shows(await end_of(a))
    answering = asyncio.create_task(a.send_webhook_again("t"))
    asking, news = asyncio.create_task(mirror.ask()), list[News]()
    while not answering.done():
        await turns()
        if asking.done():
            assert not answering.done()
            news += asking.result().news
            asking = asyncio.create_task(mirror.ask())
            await turns()
    assert answering.result() in news
    asking.cancel()
