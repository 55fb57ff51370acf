"""The feed: what is new, in order."""

import asyncio

import pytest

from deployments.tasks.feed import Feed, Mark
from deployments.tasks.record import Status, Task
from tests.tasks.in_process import AT, task_and_work, turns


def task(task_id: str = "t") -> Task:
    return task_and_work(task_id)[0].attempted()


async def test_a_feed_that_was_not_heard_for_too_long_is_heard_anew() -> None:
    """Its log is bounded: it tells what it still has; of each task, the newest."""
    feed = Feed[Task](keep=3)
    older, newer, other = task(), task().advanced(1, Status.UPLOADING_IMAGE, AT), task("u")
    start = (await feed.since(None, 0)).mark
    for state in (older, newer, other):
        feed.append(state)
    assert await feed.since(start, 0) == (Mark(start.feed, 3), [newer, other])
    feed.append(newer)
    for mark in (start, None, Mark("another feed", 4)):
        assert await feed.since(mark, 0) == (Mark(start.feed, 4), [newer, other])


async def test_who_has_heard_all_waits_for_news() -> None:
    """All who wait hear them; where none come, they hear that after their patience has ended."""
    feed = Feed[Task]()
    mark = (await feed.since(None, 0)).mark
    assert await feed.since(mark, 0) == (mark, [])
    waiting = [asyncio.create_task(feed.since(mark, 60)) for _ in range(2)]
    await turns()
    assert not any(one.done() for one in waiting)
    feed.append(task())
    assert [(await one).items for one in waiting] == [[task()]] * 2


async def test_who_is_called_off_as_news_come_does_not_go_on() -> None:
    """A cancellation that is lost here would leave whoever follows the feed running for ever."""
    feed = Feed[Task]()
    waiting = asyncio.create_task(feed.since((await feed.since(None, 0)).mark, 60))
    await turns()
    feed.append(task())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
