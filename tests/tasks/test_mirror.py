"""The mirror: what other processes show is what the orchestrator shows, a moment later, and never goes back."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.errors import Cancelled, Unavailable
from deployments.tasks.feed import Feed
from deployments.tasks.followers import Changing, Gone, News, Told
from deployments.tasks.messages import GetTask, Message, WatchTasks
from deployments.tasks.mirror import Mirror
from deployments.tasks.record import Failure, Status, Task
from deployments.tasks.webhook import Webhook
from tests.tasks.in_process import AT, no_sleep
from tests.tasks.states import STAGES, next_state, task

R = TypeVar("R")


class Actor:
    """One that loses its feed's memory when it restarts, but none of its tasks."""

    def __init__(self, keep: int = 100) -> None:
        self.tasks: dict[str, Task] = {}
        self.keep = keep
        self.asked: list[str] = []
        self.away = False
        self.good_for_s = math.inf
        self.restart()

    def restart(self) -> None:
        self.feed = Feed[News](self.keep)

    def put(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.feed.append(task)

    def begin_change(self, task_id: str) -> None:
        self.feed.append(Changing(task_id))

    def erase(self, task_id: str) -> None:
        del self.tasks[task_id]
        self.feed.append(Gone(task_id))

    async def ask(self, message: Message[R]) -> R:
        if isinstance(message, GetTask):
            return cast(R, await self.get(message.task_id))
        assert isinstance(message, WatchTasks)
        if self.away:
            raise Unavailable("Away.", 1)
        changes = await self.feed.since(message.since, 0.001)
        return cast(R, Told(changes, self.good_for_s))

    async def get(self, task_id: str) -> Task | None:
        self.asked.append(task_id)
        if self.away:
            raise Unavailable("Away.", 1)
        return self.tasks.get(task_id)


async def turns() -> None:
    """Lets everybody do what they can."""
    for _ in range(20):
        await asyncio.sleep(0.0005)


@asynccontextmanager
async def mirror_of(
    actor: Actor, quiet_s: float = 60, monotonic: Callable[[], float] = time.monotonic
) -> AsyncIterator[Mirror]:
    mirror = Mirror(actor.ask, quiet_s=quiet_s, sleep=no_sleep, monotonic=monotonic)
    following = asyncio.create_task(mirror.follow())
    await turns()
    yield mirror
    following.cancel()


async def test_what_the_feed_still_tells_is_never_asked_for() -> None:
    """A mirror that comes late shows at once what has happened of late, in its newest state."""
    actor = Actor()
    for state in (task(), task().advanced(1, STAGES[0], AT), task("u")):
        actor.put(state)
    async with mirror_of(actor) as mirror:
        assert [await mirror.get(name) for name in "tu"] == [actor.tasks[name] for name in "tu"]
        assert actor.asked == []


async def test_the_lag_grows_while_the_actor_is_away() -> None:
    """From the last answer on; with the next one, it is gone."""
    actor, clock = Actor(), [100.0]
    async with mirror_of(actor, monotonic=lambda: clock[0]) as mirror:
        assert mirror.lag_s == 0
        actor.away = True
        await turns()
        clock[0] = 107.0
        assert mirror.lag_s == 7
        actor.away = False
        await turns()
        assert mirror.lag_s == 0


async def test_a_task_that_the_feed_has_no_more_is_asked_for_once() -> None:
    """After that, its changes come by themselves."""
    actor = Actor()
    actor.tasks["t"] = task()
    async with mirror_of(actor) as mirror:
        assert await mirror.get("t") == actor.tasks["t"]
        actor.put(task().advanced(1, STAGES[0], AT))
        await turns()
        assert await mirror.get("t") == actor.tasks["t"]
        assert actor.asked == ["t"]


async def test_a_task_that_is_changing_is_asked_for_until_its_change_is_told() -> None:
    """Another mirror may show the new status already. What is answered meanwhile is not shown either."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        actor.begin_change("t")
        await turns()
        assert [await mirror.get("t"), await mirror.get("t")] == [task(), task()]
        mirror.note(task())  # the answer to another request, which is as old
        await mirror.get("t")
        assert actor.asked == ["t"] * 3
        actor.put(task().advanced(1, STAGES[0], AT))
        await turns()
        assert await mirror.get("t") == actor.tasks["t"]
        assert actor.asked == ["t"] * 3


async def test_a_change_that_was_coming_is_forgotten_with_the_actor_that_told_it() -> None:
    """The next actor tells how the task stands."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        actor.begin_change("t")
        await turns()
        actor.away = True
        actor.restart()
        await turns()
        actor.away = False
        await turns()
        assert await mirror.get("t") == task()
        assert actor.asked == ["t"]  # the new feed does not tell it
        assert await mirror.get("t") == task()
        assert actor.asked == ["t"]


async def test_an_unknown_task_is_asked_for_each_time() -> None:
    """It may come into being at any moment."""
    actor = Actor()
    async with mirror_of(actor) as mirror:
        assert await mirror.get("t") is None
        actor.tasks["t"] = task()
        assert await mirror.get("t") == task()


async def test_what_the_actor_answered_is_not_undone_by_older_news() -> None:
    """The answer may be ahead of the feed."""
    actor = Actor()
    older, newer = task(), task().advanced(1, STAGES[0], AT)
    async with mirror_of(actor) as mirror:
        actor.tasks["t"] = newer
        assert await mirror.get("t") == newer
        mirror.note(older)
        assert await mirror.get("t") == newer


async def test_a_watch_without_news_says_so() -> None:
    """And goes on: the news come afterwards."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor, quiet_s=0.001) as mirror:
        watching = mirror.watch(task())
        assert [await anext(watching) for _ in range(3)] == [task(), None, None]
        actor.put(ended := task().failed(Failure.of(Cancelled("Cancelled.")), AT))
        assert [state async for state in watching if state] == [ended]


async def test_a_watch_shows_each_state_and_ends_with_the_last() -> None:
    """Across a restart of the actor too."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        seen = list[Task | None]()

        async def watch() -> None:
            async for state in mirror.watch(task()):
                seen.append(state)

        watching = asyncio.create_task(watch())
        await turns()
        actor.put(actor.tasks["t"].advanced(1, STAGES[0], AT))
        await turns()
        actor.away = True
        actor.tasks["t"] = actor.tasks["t"].attempted().advanced(2, STAGES[1], AT)
        actor.restart()
        await turns()
        actor.away = False
        await turns()
        actor.put(actor.tasks["t"].finished(2, (), AT))
        await watching
        assert [state.status for state in seen if state] == [Status.PENDING, STAGES[0], STAGES[1], Status.DONE]


async def test_while_the_actor_is_known_to_be_away_nothing_is_shown() -> None:
    """An old status must not be told for ever."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        await mirror.get("t")
        actor.away = True
        await turns()
        with pytest.raises(Unavailable, match="Away"):
            await mirror.get("t")


async def test_what_was_not_heard_again_in_time_is_not_shown() -> None:
    """Each answer says how long it may be; without another one, the actor is asked, which may be away."""
    actor, clock = Actor(), [100.0]
    actor.good_for_s = 3
    actor.put(task())
    mirror = Mirror(actor.ask, sleep=no_sleep, monotonic=lambda: clock[0])
    following = asyncio.create_task(mirror.follow())
    await turns()
    assert await mirror.get("t") == task()
    assert actor.asked == []
    following.cancel()  # no answer comes any more
    clock[0] += 2.9
    assert await mirror.get("t") == task()
    assert actor.asked == []
    clock[0] += 0.2
    assert await mirror.get("t") == task()
    assert actor.asked == ["t"]
    actor.away = True
    with pytest.raises(Unavailable, match="Away"):
        await mirror.get("t")


EVENTS = st.sampled_from(["change a", "change b", "restart", "leave", "return", "read a", "read b", "wait"])


def befall(actor: Actor, event: str) -> None:
    """What happens to the actor and its tasks."""
    match event.split():
        case ["change", name] if not actor.away:
            actor.put(next_state(actor.tasks[name]))
        case ["restart"]:
            actor.restart()
        case ["leave"]:
            actor.away = True
        case ["return"]:
            actor.away = False


@given(events=st.lists(EVENTS, max_size=40))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_no_reader_sees_a_status_go_back(events: Sequence[str]) -> None:
    """And once it is quiet, the mirror shows what the actor shows."""

    async def live() -> None:
        actor, read = Actor(keep=3), dict[str, list[int]](a=[], b=[])
        for name in read:
            actor.put(task(name))
        async with mirror_of(actor) as mirror:
            for event in events:
                befall(actor, event)
                if event == "wait":
                    await turns()
                with suppress(Unavailable):
                    if event.startswith("read") and (state := await mirror.get(event[-1])):
                        read[state.id].append(len(state.timeline))
            actor.away = False
            await turns()
            for name, lengths in read.items():
                assert await mirror.get(name) == actor.tasks[name]
                assert lengths == sorted(lengths)

    asyncio.run(live())


class TestErased:
    async def test_it_is_not_shown_any_more(self) -> None:
        """Whoever watches it hears that it ends, and nothing that was on its way brings it back."""
        actor = Actor()
        actor.put(task())
        async with mirror_of(actor) as mirror:
            watching = asyncio.create_task(_all_of(mirror.watch(task())))
            await turns()
            actor.erase("t")
            await turns()
            assert await watching == [task()]
            assert await mirror.get("t") is None
            mirror.note(task())
            assert await mirror.get("t") is None

    async def test_an_answer_that_was_on_its_way_is_dropped(self) -> None:
        """The question came before the erasure, and its answer after it."""
        actor, answered = Actor(), asyncio.Event()
        actor.put(task())

        async def slow(message: Message[R]) -> R:
            answer = await actor.ask(message)
            if isinstance(message, GetTask):
                await answered.wait()
            return answer

        mirror = Mirror(slow, sleep=no_sleep)
        asking = asyncio.create_task(mirror.get("t"))
        await turns()
        mirror.note(Gone("t"))
        answered.set()
        assert await asking is None

    async def test_a_mirror_that_has_heard_nothing_remembers_it(self) -> None:
        """As after the reply to the erasure itself, while the orchestrator restarts."""
        mirror = Mirror(Actor().ask, sleep=no_sleep)
        mirror.note(Gone("t"))
        mirror.note(task())
        assert await mirror.get("t") is None


async def _all_of(states: AsyncIterator[Task | None]) -> list[Task]:
    return [state async for state in states if state is not None]


async def test_a_webhooks_later_state_is_not_replaced_by_an_earlier_one() -> None:
    """An answer may be older than what the feed has told meanwhile."""
    actor = Actor()
    ended = replace(task(), webhook=Webhook()).finished(1, (), AT)
    tried = replace(ended, webhook=Webhook().tried(0, AT, 200))
    actor.put(tried)
    async with mirror_of(actor) as mirror:
        mirror.note(ended)
        assert await mirror.get("t") == tried
