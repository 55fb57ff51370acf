"""The mirror: what other processes show is what the orchestrator shows, a moment later, and never goes back."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.errors import Cancelled, NotInCharge, Unavailable
from deployments.tasks.followers import Followers, Gone
from deployments.tasks.messages import GetTask, Message, WatchTasks
from deployments.tasks.mirror import KEEP_S, Mirror
from deployments.tasks.record import Failure, Status, Task
from tests.tasks.in_process import AT, no_sleep
from tests.tasks.states import STAGES, next_state, task

R = TypeVar("R")


class Actor:
    """One that forgets its mirrors when it restarts, but none of its tasks."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.asked: list[str] = []
        self.away = False
        self.good_for_s = math.inf
        self.restart()

    def restart(self) -> None:
        self.followers = Followers(good_for=lambda: self.good_for_s, watch_s=0.001)

    def put(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.followers.show(task)

    def erase(self, task_id: str) -> None:
        del self.tasks[task_id]
        self.followers.show(Gone(task_id))

    async def ask(self, message: Message[R]) -> R:
        if isinstance(message, GetTask):
            return cast(R, self._get(message))
        assert isinstance(message, WatchTasks)
        self._may_be_away()
        return cast(R, await self.followers.told(message.mirror, message.heard))

    def _get(self, message: GetTask) -> Task | None:
        self.asked.append(message.task_id)
        self._may_be_away()
        task = self.tasks.get(message.task_id)
        if task is not None:
            self.followers.follow(message.mirror, task)
        return task

    def _may_be_away(self) -> None:
        if self.away:
            raise Unavailable("Away.", 1)


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


async def test_a_stand_by_is_heard() -> None:
    """Its mirrors show nothing, and are not late: that needs no operator."""
    clock = [0.0]

    async def ask(_: Message[R]) -> R:
        raise NotInCharge("another cluster is")

    async def sleep(_: float) -> None:
        clock[0] += 100
        await asyncio.sleep(0)

    mirror = Mirror(ask, sleep=sleep, monotonic=lambda: clock[0])
    following = asyncio.create_task(mirror.follow())
    await turns()
    assert clock[0] > 100
    assert mirror.lag_s <= 100
    following.cancel()


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


async def test_a_task_is_asked_for_once() -> None:
    """After that, its changes come by themselves; those of others do not."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        assert await mirror.get("t") == actor.tasks["t"]
        await turns()
        actor.put(next_state(task()))
        actor.put(task("u"))
        await turns()
        assert await mirror.get("t") == actor.tasks["t"]
        assert actor.asked == ["t"]
        assert await mirror.get("u") == actor.tasks["u"]
        assert actor.asked == ["t", "u"]


async def test_a_task_that_is_changing_is_asked_for_until_its_change_is_told() -> None:
    """Another mirror may show the new status already. What is answered meanwhile is not shown either."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        await mirror.get("t")
        await turns()
        hiding = asyncio.create_task(actor.followers.hide(["t"]))
        await turns()
        assert hiding.done()
        assert [await mirror.get("t"), await mirror.get("t")] == [task(), task()]
        await turns()
        await mirror.get("t")
        assert actor.asked == ["t"] * 4
        actor.put(next_state(task()))
        await turns()
        assert await mirror.get("t") == actor.tasks["t"]
        assert actor.asked == ["t"] * 4


async def test_a_change_that_was_coming_is_forgotten_with_the_actor_that_told_it() -> None:
    """The next actor tells how the task stands."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        await mirror.get("t")
        await turns()
        await actor.followers.hide(["t"])
        await turns()
        actor.restart()
        await turns()
        assert await mirror.get("t") == task()
        await turns()
        assert await mirror.get("t") == task()
        assert actor.asked == ["t", "t"]


async def test_an_ended_task_that_the_mirror_has_forgotten_is_told_again() -> None:
    """It keeps them for a while only; the actor may not know that."""
    actor, clock = Actor(), [100.0]
    async with mirror_of(actor, monotonic=lambda: clock[0]) as mirror:
        for name in "ab":
            actor.put(task(name).finished(1, AT))
        await mirror.get("a")
        await turns()
        clock[0] += KEEP_S + 1
        await mirror.get("b")
        await turns()
        assert [await mirror.get("a") for _ in range(2)] == [actor.tasks["a"]] * 2
        await turns()
        assert await mirror.get("a") == actor.tasks["a"]
        assert actor.asked == ["a", "b", "a", "a"]


async def test_an_unknown_task_is_asked_for_each_time() -> None:
    """It may come into being at any moment."""
    actor = Actor()
    async with mirror_of(actor) as mirror:
        assert await mirror.get("t") is None
        actor.tasks["t"] = task()
        assert await mirror.get("t") == task()


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
        actor.put(actor.tasks["t"].finished(2, AT))
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
    await mirror.get("t")
    await turns()
    following.cancel()  # no answer comes any more
    clock[0] += 2.9
    assert await mirror.get("t") == task()
    assert actor.asked == ["t"]
    clock[0] += 0.2
    assert await mirror.get("t") == task()
    assert actor.asked == ["t", "t"]
    actor.away = True
    with pytest.raises(Unavailable, match="Away"):
        await mirror.get("t")


async def test_the_time_to_show_an_answer_counts_from_its_question() -> None:
    """Nobody knows how long the answer was on its way."""
    actor, clock = Actor(), [100.0]
    actor.good_for_s = 3
    actor.put(task())

    async def slow(message: Message[R]) -> R:
        answer = await actor.ask(message)
        if isinstance(message, WatchTasks):
            clock[0] += 2
        return answer

    mirror = Mirror(slow, sleep=no_sleep, monotonic=lambda: clock[0])
    following = asyncio.create_task(mirror.follow())
    await turns()
    await mirror.get("t")
    await turns()
    following.cancel()
    await mirror.get("t")
    assert actor.asked == ["t"]
    clock[0] += 1.1
    await mirror.get("t")
    assert actor.asked == ["t", "t"]


async def test_after_an_answer_that_was_lost_it_begins_anew() -> None:
    """Nobody knows how long the orchestrator was away; the question may still wait there."""
    actor, questions = Actor(), list[int | None]()

    async def ask(message: Message[R]) -> R:
        if isinstance(message, WatchTasks):
            questions.append(message.heard)
            if len(questions) == 3:
                raise Unavailable("Away.", 1)
        return await actor.ask(message)

    following = asyncio.create_task(Mirror(ask, sleep=no_sleep).follow())
    await turns()
    following.cancel()
    assert [question is None for question in questions[:5]] == [True, False, False, True, False]


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
        actor, read = Actor(), dict[str, list[int]](a=[], b=[])
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


async def test_an_erased_task_is_not_shown_any_more() -> None:
    """Whoever watches it hears that it ends."""
    actor = Actor()
    actor.put(task())
    async with mirror_of(actor) as mirror:
        watching = asyncio.create_task(_all_of(mirror.watch(task())))
        await turns()
        actor.erase("t")
        await turns()
        assert await watching == [task()]
        assert await mirror.get("t") is None


async def test_an_answer_that_was_on_its_way_is_not_shown_later() -> None:
    """What was told meanwhile is newer."""
    actor, answered = Actor(), asyncio.Event()
    actor.put(task())

    async def slow(message: Message[R]) -> R:
        answer = await actor.ask(message)
        if isinstance(message, GetTask):
            await answered.wait()
        return answer

    mirror = Mirror(slow, sleep=no_sleep)
    following = asyncio.create_task(mirror.follow())
    await turns()
    asking = asyncio.create_task(mirror.get("t"))
    await turns()
    actor.put(next_state(task()))
    await turns()
    answered.set()
    assert await asking == task()
    assert await mirror.get("t") == actor.tasks["t"]
    assert actor.asked == ["t"]
    following.cancel()


async def _all_of(states: AsyncIterator[Task | None]) -> list[Task]:
    return [state async for state in states if state is not None]
