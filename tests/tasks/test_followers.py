"""Whichever mirror is asked, and whatever it has not heard: no status goes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.errors import Unavailable
from deployments.tasks.entry import Entry
from deployments.tasks.feed import Mark
from deployments.tasks.followers import Changing, Followers, Gone, Told
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import GetTask, Message, WatchTasks
from deployments.tasks.mirror import Mirror
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task
from deployments.tasks.work import Outcome, StepRequest, Work
from tests.tasks.in_process import no_sleep, orchestrator, task_and_work, turns
from tests.tasks.states import next_state, task

R = TypeVar("R")
GOOD_FOR_S = 2.0
WRITE_STEPS = 5
"""Of the event loop."""


class Clock:
    """Stands still, until it is told how much time passes."""

    def __init__(self) -> None:
        self.now = 100.0
        self._timers: list[Alarm] = []

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, action: Callable[[], None]) -> "Alarm":
        self._timers.append(Alarm(self.now + seconds, action))
        return self._timers[-1]

    async def pass_by(self, seconds: float) -> None:
        self.now += seconds
        for timer in list(self._timers):
            if timer.at <= self.now:
                self._timers.remove(timer)
                timer.ring()
        await turns()


class Alarm:
    def __init__(self, at: float, action: Callable[[], None]) -> None:
        self.at = at
        self.ring = action

    def cancel(self) -> None:
        self.ring = lambda: None


class Asker:
    """One mirror's way of asking: by hand."""

    def __init__(self, followers: Followers, name: str) -> None:
        self._followers = followers
        self._name = name
        self.mark: Mark | None = None

    async def ask(self) -> Told:
        told = await self._followers.told(self._name, self.mark)
        self.mark = told.changes.mark
        return told


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def followers(clock: Clock) -> Followers:
    return Followers(good_for=lambda: GOOD_FOR_S, watch_s=0.5, monotonic=clock, later=clock.later)


async def begun(waiting: Awaitable[R]) -> asyncio.Future[R]:
    future = asyncio.ensure_future(waiting)
    await turns()
    return future


async def test_a_change_waits_until_both_have_heard_that_it_comes(followers: Followers) -> None:
    """Having heard means asking for more: an answer may be lost."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    followers.show(task())
    await a.ask()
    await b.ask()
    asking = await begun(a.ask())
    hiding = await begun(followers.hide("t"))
    assert (await asking).changes.items == [Changing("t")]
    assert (await b.ask()).changes.items == [Changing("t")]
    assert not hiding.done()
    more = [await begun(a.ask())]
    assert not hiding.done()
    more.append(await begun(b.ask()))
    await hiding
    followers.show(changed := next_state(task()))
    assert [(await told).changes.items for told in more] == [[changed]] * 2


async def test_one_that_does_not_ask_is_waited_for_until_its_time_is_over(followers: Followers, clock: Clock) -> None:
    """By its own clock it is over earlier, for it counts from its question."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    followers.show(task())
    await b.ask()
    await clock.pass_by(0.5)
    await a.ask()
    asking = await begun(a.ask())
    hiding = await begun(followers.hide("t"))
    await asking
    asking = await begun(a.ask())
    await clock.pass_by(1.4)
    assert not hiding.done()
    await clock.pass_by(0.2)
    await hiding
    asking.cancel()


async def test_from_one_mirror_alone_nothing_is_hidden(followers: Followers) -> None:
    """It cannot contradict anybody."""
    a = Asker(followers, "a")
    followers.show(task())
    await a.ask()
    await followers.hide("t")
    followers.show(changed := next_state(task()))
    assert (await a.ask()).changes.items == [changed]


async def test_a_second_mirror_is_told_once_the_first_has_heard_what_was_shown_at_once(followers: Followers) -> None:
    """And so is whoever asks the orchestrator itself."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    followers.show(task())
    await a.ask()
    await followers.hide("t")
    followers.show(changed := next_state(task()))
    coming, waiting = await begun(b.ask()), await begun(followers.settled())
    await a.ask()
    await turns()
    assert not coming.done()
    assert not waiting.done()
    asking = await begun(a.ask())
    assert (await coming).changes.items == [changed]
    await waiting
    asking.cancel()


async def test_a_mirror_that_comes_during_a_change_does_not_show_it(followers: Followers) -> None:
    """Whether that was hidden from the others, or there was one alone."""
    a, b, c = (Asker(followers, name) for name in "abc")
    followers.show(task())
    await a.ask()
    await followers.hide("t")  # before the write
    assert (await b.ask()).changes.items == [task()]
    hiding = await begun(followers.hide("t"))  # after it
    assert not hiding.done()
    assert Changing("t") in (await c.ask()).changes.items
    for asker in (a, b):
        assert Changing("t") in (await asker.ask()).changes.items
    asking = [await begun(asker.ask()) for asker in (a, b, c)]
    await hiding
    followers.show(Gone("t"))
    assert [(await told).changes.items for told in asking] == [[Gone("t")]] * 3


async def test_one_that_was_away_for_too_long_is_told_what_is_hidden(clock: Clock) -> None:
    """Though the feed has it no more."""
    followers = Followers(good_for=lambda: GOOD_FOR_S, watch_s=0.5, monotonic=clock, later=clock.later)
    a, b, c = (Asker(followers, name) for name in "abc")
    followers.show(task())
    for asker in (a, b, c):
        await asker.ask()
    hiding = await begun(followers.hide("t"))
    for number in range(6_000):
        followers.show(task(f"other {number}"))
    told = await a.ask()
    assert not told.changes.is_gapless
    assert Changing("t") in told.changes.items
    hiding.cancel()


async def test_one_that_asks_again_after_its_time_is_like_a_new_one(followers: Followers, clock: Clock) -> None:
    """Meanwhile, the other was alone."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    followers.show(task())
    await a.ask()
    await b.ask()
    await clock.pass_by(GOOD_FOR_S + 0.1)
    await a.ask()  # b is away
    await followers.hide("t")
    followers.show(changed := next_state(task()))
    again = await begun(b.ask())
    assert not again.done()
    await a.ask()
    asking = await begun(a.ask())
    assert (await again).changes.items == [changed]
    asking.cancel()


async def test_one_whose_time_runs_out_while_it_waits_is_told_like_a_new_one(
    followers: Followers, clock: Clock
) -> None:
    """It would show what the other, which was alone by then, has not heard yet."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    followers.show(task())
    await b.ask()
    await clock.pass_by(GOOD_FOR_S - 0.2)
    await a.ask()
    waiting = await begun(b.ask())
    await clock.pass_by(0.3)
    await followers.hide("t")
    followers.show(changed := next_state(task()))
    await turns()
    assert not waiting.done()
    await a.ask()
    asking = await begun(a.ask())
    assert (await waiting).changes.items == [changed]
    asking.cancel()


async def test_all_are_silent_once_each_was_told_that_it_may_show_nothing(clock: Clock) -> None:
    """And has asked again since; or was not heard of for too long."""
    good_for_s = GOOD_FOR_S
    followers = Followers(good_for=lambda: good_for_s, watch_s=0.5, monotonic=clock, later=clock.later)
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.ask()
    silent = await begun(followers.silence())
    good_for_s = 0
    assert (await a.ask()).good_for_s == 0
    assert not silent.done()
    asking = await begun(a.ask())
    await silent
    asking.cancel()
    good_for_s = GOOD_FOR_S
    await b.ask()
    silent = await begun(followers.silence())
    await clock.pass_by(GOOD_FOR_S - 0.1)
    assert not silent.done()
    await clock.pass_by(0.2)
    await silent


async def test_while_a_task_is_hidden_who_waits_for_it_waits(followers: Followers) -> None:
    """As those do who ask the orchestrator while stand-bys read the journal."""
    for name in "ab":
        await Asker(followers, name).ask()
    await followers.shown("t")
    hiding = asyncio.ensure_future(followers.hide("t"))
    waiting = await begun(followers.shown("t"))
    assert not waiting.done()
    followers.show(task())
    await waiting
    hiding.cancel()


class ReadByOthers(MemoryJournal):
    """As one on a server: stand-bys read it. Its answers to writes can be held up."""

    is_leased = True

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.answers.set()

    async def write(self, entry: Entry, work: Work | None = None) -> None:
        await super().write(entry, work)
        await self.answers.wait()


class Generating:
    """A background whose first step is done once it is `released`; its upload takes for ever."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.released = asyncio.Event()
        self.orchestrator = orchestrator(self._run, journal)

    async def _run(self, request: StepRequest) -> Outcome:
        await self.released.wait()
        if request.step == StepId.UPLOAD:
            await asyncio.Event().wait()
        return request.work


@pytest.mark.parametrize("journal", [MemoryJournal(), ReadByOthers()], ids=["of one process", "on a server"])
async def test_a_task_changes_once_no_mirror_shows_its_former_status(journal: MemoryJournal) -> None:
    """On a server it is not written before either: a stand-by would show it."""
    generating = Generating(journal)
    a = generating.orchestrator
    first, second = Asker(a.followers, "first"), Asker(a.followers, "second")
    await first.ask()
    await second.ask()
    before = await a.submit(*task_and_work())
    assert [(await asker.ask()).changes.items for asker in (first, second)] == [[before]] * 2
    asking = await begun(first.ask())
    generating.released.set()
    assert (await asking).changes.items == [Changing("t")]
    asking = await begun(first.ask())
    assert await shown_and_written(a, journal) == (before, journal.is_leased)
    assert (await second.ask()).changes.items == [Changing("t")]
    (changed,) = (await second.ask()).changes.items
    assert isinstance(changed, Task)
    assert changed.status is Status.UPLOADING_IMAGE
    assert (await asking).changes.items == [changed]
    assert await a.get("t") == changed


async def shown_and_written(a: Orchestrator, journal: MemoryJournal) -> tuple[Task | None, bool]:
    """What the orchestrator shows, and whether the journal holds the same."""
    shown, written = a.tasks.get("t"), await journal.read_entry("t")
    assert written is not None
    return shown, written.task == shown


async def test_on_a_server_who_asks_during_a_write_waits_for_its_answer() -> None:
    """A stand-by may show the new status already."""
    journal = ReadByOthers()
    generating = Generating(journal)
    a = generating.orchestrator
    following = [asyncio.create_task(Mirror(partial(heard_by, a), sleep=no_sleep).follow()) for _ in range(2)]
    await turns()
    before = await a.submit(*task_and_work())
    assert await a.get("t") == before
    journal.answers.clear()
    generating.released.set()
    await turns()
    assert await shown_and_written(a, journal) == (before, False)
    asking = await begun(a.get("t"))
    assert not asking.done()
    journal.answers.set()
    shown = await asking
    assert shown is not None
    assert shown.status is Status.UPLOADING_IMAGE
    for mirror in following:
        mirror.cancel()


async def heard_by(a: Orchestrator, message: Message[R]) -> R:
    return await message.handle(a)


class Service:
    """An orchestrator with two tasks, and mirrors of it whose network can be cut: then no answer comes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.followers = Followers(
            good_for=lambda: GOOD_FOR_S, watch_s=0.001, monotonic=self.clock, later=self.clock.later
        )
        self.tasks = {name: task(name) for name in "ab"}
        self.changes: dict[str, asyncio.Task[None]] = {}
        self.cut: set[int] = set()
        self.healed = asyncio.Event()
        for state in self.tasks.values():
            self.followers.show(state)

    def mirror(self, number: int) -> Mirror:
        async def ask(message: Message[R]) -> R:
            await self._through(number)
            reply = await self._answer(message)
            await self._through(number)
            return cast(R, reply)

        return Mirror(ask, sleep=lambda _: asyncio.sleep(0), monotonic=self.clock)

    async def _through(self, number: int) -> None:
        await asyncio.sleep(0)
        while number in self.cut:
            await self.healed.wait()

    async def _answer(self, message: Message[R]) -> object:
        if isinstance(message, WatchTasks):
            return await self.followers.told(message.mirror, message.since)
        assert isinstance(message, GetTask)
        await self.followers.settled()
        return self.tasks[message.task_id]

    def change(self, name: str) -> None:
        if name not in self.changes or self.changes[name].done():
            self.changes[name] = asyncio.create_task(self._change(name))

    async def _change(self, name: str) -> None:
        await self.followers.hide(name)
        for _ in range(WRITE_STEPS):
            await asyncio.sleep(0)
        await self.followers.hide(name)
        self.tasks[name] = next_state(self.tasks[name])
        self.followers.show(self.tasks[name])

    async def befall(self, event: str, what: object) -> None:
        match event, what:
            case "change", str(name):
                self.change(name)
            case "cut", int(number):
                self.cut.add(number)
            case "heal", _:
                self.heal()
            case "pass", float(seconds):
                await self.clock.pass_by(seconds)
            case _, int(steps):
                for _ in range(steps):
                    await asyncio.sleep(0)

    def heal(self) -> None:
        self.cut.clear()
        self.healed.set()
        self.healed = asyncio.Event()


@asynccontextmanager
async def mirrors_of(service: Service, count: int) -> AsyncIterator[list[Mirror]]:
    mirrors = [service.mirror(number) for number in range(count)]
    following = [asyncio.create_task(mirror.follow()) for mirror in mirrors]
    yield mirrors
    for running in [*following, *service.changes.values()]:
        running.cancel()


MIRRORS = 3
EVENT = st.one_of(
    st.tuples(st.just("change"), st.sampled_from("ab")),
    st.tuples(st.just("cut"), st.integers(0, MIRRORS - 1)),
    st.tuples(st.just("heal"), st.none()),
    st.tuples(st.just("step"), st.sampled_from([1, 2, 3, 50])),
    st.tuples(st.just("pass"), st.sampled_from([0.3, 1.0, 1.9, 2.1])),
    st.tuples(st.just("read"), st.none()),
)


@given(events=st.lists(EVENT, max_size=60))
@settings(max_examples=150, deadline=None)
def test_whoever_is_cut_off_no_status_goes_back_through_any_mirror(events: Sequence[tuple[str, object]]) -> None:
    """And once all is well, all show the same."""
    asyncio.run(live(events))


async def live(events: Sequence[tuple[str, object]]) -> None:
    service, seen = Service(), dict[str, list[int]](a=[], b=[])
    async with mirrors_of(service, MIRRORS) as mirrors:
        for event, what in events:
            if event == "read":
                for mirror in mirrors:
                    await read(mirror, seen)
            else:
                await service.befall(event, what)
        service.heal()
        await service.clock.pass_by(GOOD_FOR_S)
        for mirror in mirrors:
            assert [await mirror.get(name) for name in "ab"] == [*service.tasks.values()]
    for lengths in seen.values():
        assert lengths == sorted(lengths)


async def read(mirror: Mirror, seen: dict[str, list[int]]) -> None:
    """A client's reads, one after the other: the next begins once this one is answered, or given up."""
    for name, lengths in seen.items():
        reading = asyncio.ensure_future(mirror.get(name))
        for _ in range(8):
            await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            continue
        with suppress(Unavailable):
            if (state := await reading) is not None:
                lengths.append(len(state.timeline))
