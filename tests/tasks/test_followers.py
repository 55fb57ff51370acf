"""Whichever mirror is asked, and whatever it has not heard: no status goes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deployments.errors import Unavailable
from deployments.tasks.entry import Binding, Entry
from deployments.tasks.followers import ENDED_AT_MOST, Changing, Followers, Gone, News
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import GetTask, Message, WatchTasks
from deployments.tasks.mirror import Mirror
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task
from deployments.tasks.task_index import Page, Wanted
from deployments.tasks.work import Outcome, StepRequest, Work
from tests.tasks.in_process import AT, Asker, asker_of, no_sleep, orchestrator, task_and_work, turns
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


async def test_a_change_waits_until_all_that_show_the_task_have_heard_that_it_comes(followers: Followers) -> None:
    """Having heard means asking for more: an answer may be lost."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.shows(task())
    await b.shows(task())
    asking = await begun(a.ask())
    hiding = await begun(followers.hide(["t"]))
    assert (await asking).news == [Changing("t")]
    assert (await b.ask()).news == [Changing("t")]
    assert not hiding.done()
    more = [await begun(a.ask())]
    assert not hiding.done()
    more.append(await begun(b.ask()))
    await hiding
    followers.show(changed := next_state(task()))
    assert [(await told).news for told in more] == [[changed]] * 2


async def test_what_was_told_is_told_again_to_who_asks_the_same_again(followers: Followers) -> None:
    """A question is repeated where its answer was lost, or before it has come."""
    a = Asker(followers, "a")
    await a.shows(task())
    heard = (await a.ask()).number
    first = await begun(followers.told("a", heard))
    repeated = await begun(followers.told("a", heard))
    followers.show(changed := next_state(task()))
    assert [(await told).news for told in (first, repeated)] == [[changed]] * 2
    lost = await followers.told("a", heard)
    assert (lost.news, lost.number) == ([changed], (await first).number)
    assert (await followers.told("a", lost.number)).news == []


async def test_who_does_not_show_a_task_neither_holds_up_its_change_nor_hears_of_it(followers: Followers) -> None:
    """Though nothing is heard of that mirror meanwhile."""
    a, b, other = (Asker(followers, name) for name in ("a", "b", "other"))
    for asker in (a, b):
        await asker.shows(task())
    await other.shows(task("u"))
    hiding = await begun(followers.hide(["t"]))
    for asker in (a, b):
        await asker.ask()
    asking = [await begun(asker.ask()) for asker in (a, b)]
    await hiding
    followers.show(changed := next_state(task()))
    assert [(await told).news for told in asking] == [[changed]] * 2
    assert (await other.ask()).news == []


async def test_one_that_does_not_ask_is_waited_for_until_its_time_is_over(followers: Followers, clock: Clock) -> None:
    """By its own clock it is over earlier, for it counts from its question."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.shows(task())
    await b.shows(task())
    await clock.pass_by(0.5)
    asking = await begun(a.ask())
    hiding = await begun(followers.hide(["t"]))
    await asking
    asking = await begun(a.ask())
    await clock.pass_by(1.4)
    assert not hiding.done()
    await clock.pass_by(0.2)
    await hiding
    asking.cancel()


async def test_each_mirror_is_waited_for_until_its_own_time_is_over(followers: Followers, clock: Clock) -> None:
    """Though another one, whose time ends later, was waited for first."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.shows(task())
    await clock.pass_by(1.0)
    await b.shows(task("u"))
    later, earlier = await begun(followers.hide(["u"])), await begun(followers.hide(["t"]))
    await clock.pass_by(1.1)
    assert (earlier.done(), later.done()) == (True, False)
    await clock.pass_by(1.0)
    await later


async def test_from_one_mirror_alone_a_change_need_not_be_hidden(followers: Followers) -> None:
    """It cannot contradict any other. Whoever asks about the change waits until that mirror has heard of it."""
    a, other = Asker(followers, "a"), Asker(followers, "other")
    await a.shows(task())
    await other.shows(task("u"))
    await followers.hide(["t"], but_from_one=True)
    await followers.settled("t")
    followers.show(changed := next_state(task()))
    settling = await begun(followers.settled("t"))
    assert (await a.ask()).news == [changed]
    await turns()
    assert not settling.done()
    asking = await begun(a.ask())
    await settling
    asking.cancel()


async def test_what_was_shown_to_one_alone_while_its_question_was_on_its_way_is_not_heard_with_that(
    followers: Followers,
) -> None:
    """The question answers for what was told before it."""
    a = Asker(followers, "a")
    await a.shows(task())
    followers.show(next_state(task()))
    assert (await a.ask()).news == [next_state(task())]
    settling = await begun(followers.settled("t"))
    assert not settling.done()
    asking = await begun(a.ask())
    await settling
    asking.cancel()


async def test_where_stand_bys_read_the_journal_it_is_hidden_from_one_alone_too(followers: Followers) -> None:
    """The stand-by may show the change as soon as it is written."""
    a = Asker(followers, "a")
    await a.shows(task())
    hiding = await begun(followers.hide(["t"]))
    assert (await a.ask()).news == [Changing("t")]
    assert not hiding.done()
    asking = await begun(a.ask())
    await hiding
    asking.cancel()


async def test_a_change_that_waits_for_a_mirror_which_hears_nothing_more_comes_when_its_time_is_over(
    followers: Followers, clock: Clock
) -> None:
    """As does what was shown to it at once."""
    await Asker(followers, "a").shows(task())
    followers.show(next_state(task()))
    settling = await begun(followers.settled("t"))
    await clock.pass_by(GOOD_FOR_S - 0.1)
    assert not settling.done()
    await clock.pass_by(0.2)
    await settling


async def test_a_mirror_that_asks_during_a_change_does_not_show_it(followers: Followers) -> None:
    """It hears how the task stands after the change."""
    a, b, c = (Asker(followers, name) for name in "abc")
    await a.shows(task())
    await b.shows(task())
    hiding = await begun(followers.hide(["t"]))
    await c.ask()
    c.follow(task())
    assert (await c.ask()).news == []
    for asker in (a, b):
        assert (await asker.ask()).news == [Changing("t")]
    asking = [await begun(asker.ask()) for asker in (a, b, c)]
    await hiding
    followers.show(Gone("t"))
    assert [(await told).news for told in asking] == [[Gone("t")]] * 3


async def test_from_two_mirrors_a_change_is_hidden_whatever_the_journal(followers: Followers) -> None:
    """One of them could show it while the other does not."""
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.shows(task())
    await b.shows(task())
    hiding = await begun(followers.hide(["t"], but_from_one=True))
    assert not hiding.done()
    for asker in (a, b):
        assert (await asker.ask()).news == [Changing("t")]
    asking = [await begun(asker.ask()) for asker in (a, b)]
    await hiding
    followers.show(changed := next_state(task()))
    assert [(await told).news for told in asking] == [[changed]] * 2


async def test_one_that_asks_again_after_its_time_is_like_a_new_one(followers: Followers, clock: Clock) -> None:
    """It is told to show nothing of what it was told before, and hears of no task until it asks about it."""
    a = Asker(followers, "a")
    await a.shows(task())
    await clock.pass_by(GOOD_FOR_S + 0.1)
    await followers.hide(["t"])
    followers.show(next_state(task()))
    told = await a.ask()
    assert (told.news, told.from_anew) == ([], True)
    followers.show(task())
    assert (await a.ask()).news == []


async def test_that_it_begins_anew_is_told_again_to_who_asks_the_same_again(followers: Followers, clock: Clock) -> None:
    """Where it has not heard that, it would show for ever what it was told before."""
    a = Asker(followers, "a")
    await a.shows(task())
    heard = (await a.ask()).number
    await clock.pass_by(GOOD_FOR_S)
    lost = await followers.told("a", heard)
    followers.follow("a", task())
    again = await followers.told("a", heard)
    assert (lost.from_anew, again.from_anew, again.news) == (True, True, [task()])
    assert not (await followers.told("a", again.number)).from_anew


async def test_one_whose_time_runs_out_while_it_waits_is_told_to_show_nothing(
    followers: Followers, clock: Clock
) -> None:
    """Others may have seen a change that it has not heard of."""
    a = Asker(followers, "a")
    await a.shows(task())
    asking = await begun(a.ask())
    await clock.pass_by(GOOD_FOR_S + 0.1)
    told = await asking
    assert (told.news, told.good_for_s, told.from_anew) == ([], 0, True)
    assert (await a.ask()).from_anew


async def test_a_question_that_was_given_up_takes_no_news_from_the_next_one(followers: Followers) -> None:
    """The mirror begins anew after it, since its answer is lost."""
    a = Asker(followers, "a")
    await a.shows(task())
    given_up = await begun(a.ask())
    told = await followers.told("a", None)
    assert told.from_anew
    followers.follow("a", task())
    assert (await given_up).from_anew
    assert (await followers.told("a", told.number)).news == [task()]


async def test_who_may_show_nothing_begins_to_follow_nothing(followers: Followers) -> None:
    """It would be told all changes for ever."""
    a = Asker(followers, "a")
    a.follow(task())
    assert (await a.ask()).news == []
    assert (await a.ask()).news == []


async def test_of_ended_tasks_only_the_latest_are_followed(clock: Clock) -> None:
    """The mirror hears which one is followed no more."""
    followers = Followers(good_for=lambda: GOOD_FOR_S, watch_s=0.001, monotonic=clock, later=clock.later)
    a = Asker(followers, "a")
    await a.shows(running := task("running"))
    ended = [task(str(number)).finished(1, AT) for number in range(ENDED_AT_MOST + 1)]
    for one in ended[:-1]:
        a.follow(one)
    assert (await a.ask()).news == ended[:-1]
    a.follow(ended[-1])
    assert (await a.ask()).news == [ended[-1], Gone("0")]
    followers.show(ended[0])
    assert (await a.ask()).news == []
    for one in (next_state(running), ended[1]):
        followers.show(one)
        assert (await a.ask()).news == [one]


async def test_all_are_silent_once_each_was_told_that_it_may_show_nothing(clock: Clock) -> None:
    """And has asked again since; or was not heard of for too long."""
    good_for_s = GOOD_FOR_S
    followers = Followers(good_for=lambda: good_for_s, watch_s=0.001, monotonic=clock, later=clock.later)
    a, b = Asker(followers, "a"), Asker(followers, "b")
    await a.ask()
    silent = await begun(followers.silence())
    good_for_s = 0
    assert (await a.ask()).good_for_s == 0
    assert not silent.done()
    await a.ask()
    await silent
    good_for_s = GOOD_FOR_S
    await b.ask()
    silent = await begun(followers.silence())
    await clock.pass_by(GOOD_FOR_S - 0.1)
    assert not silent.done()
    await clock.pass_by(0.2)
    await silent


async def test_while_nobody_may_show_anything_new_ones_are_answered_late(clock: Clock) -> None:
    """They ask again at once."""
    followers = Followers(good_for=lambda: 0, watch_s=0.05, monotonic=clock, later=clock.later)
    asking = await begun(followers.told("a", None))
    assert not asking.done()
    assert (await asking).good_for_s == 0


async def test_while_a_task_is_hidden_who_waits_for_it_waits(followers: Followers) -> None:
    """As those do who ask the orchestrator while stand-bys read the journal."""
    await followers.shown("t")
    await followers.hide(["t"])
    waiting = await begun(followers.shown("t"))
    assert not waiting.done()
    followers.show(task())
    await waiting


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
    before = await a.submit(*task_and_work())
    await first.shows(before)
    await second.shows(before)
    asking = await begun(first.ask())
    generating.released.set()
    assert (await asking).news == [Changing("t")]
    asking = await begun(first.ask())
    assert await shown_and_written(a, journal) == (before, journal.is_leased)
    assert (await second.ask()).news == [Changing("t")]
    (changed,) = (await second.ask()).news
    assert isinstance(changed, Task)
    assert changed.status is Status.UPLOADING_IMAGE
    assert (await asking).news == [changed]
    assert await a.get("t") == changed


@pytest.mark.parametrize("asked", ["status", "submission", "key", "list", "cancellation"])
async def test_what_others_are_told_waits_for_the_mirror_that_alone_shows_the_task(asked: str) -> None:
    """It would show them the former status afterwards."""
    generating = Generating(MemoryJournal())
    a, mirror, binding = generating.orchestrator, Asker(generating.orchestrator.followers, "m"), Binding("key", "print")
    await mirror.shows(await a.submit(*task_and_work(), binding))
    generating.released.set()
    await turns()
    answering = await begun(answers(a, binding)[asked]())
    asking, news = await begun(mirror.ask()), list[News]()
    while not answering.done():
        news += (await asking).news
        await turns()
        assert not answering.done()
        asking = await begun(mirror.ask())
    answer = answering.result()
    assert news[-1] == (answer.tasks[0] if isinstance(answer, Page) else answer)
    asking.cancel()


def answers(a: Orchestrator, binding: Binding) -> dict[str, Callable[[], Awaitable[Task | Page | None]]]:
    return {
        "status": lambda: a.get("t"),
        "submission": lambda: a.submit(*task_and_work("u"), binding),
        "key": lambda: a.bound(binding),
        "list": lambda: a.page(Wanted("default"), None, 1),
        "cancellation": lambda: a.cancel("t"),
    }


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
    mirror = Mirror(asker_of(a), sleep=no_sleep)
    following = asyncio.create_task(mirror.follow())
    await turns()
    before = await a.submit(*task_and_work())
    assert await mirror.get("t") == before
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
    following.cancel()


class Service:
    """An orchestrator with two tasks, and mirrors of it whose network can be cut: then no answer comes. An answer to a
    long-poll may be lost, too: then it is asked again.

    Where its journal `is_read_by_others`, they may show what is written.
    """

    def __init__(self, *, is_read_by_others: bool) -> None:
        self.is_read_by_others = is_read_by_others
        self.clock = Clock()
        self.followers = Followers(
            good_for=lambda: GOOD_FOR_S, watch_s=0.001, monotonic=self.clock, later=self.clock.later
        )
        self.tasks = {name: task(name) for name in "ab"}
        self.written = dict(self.tasks)
        self.changes: dict[str, asyncio.Task[None]] = {}
        self.cut: set[int] = set()
        self.healed = asyncio.Event()
        self.losing: set[int] = set()

    def mirror(self, number: int) -> Mirror:
        async def ask(message: Message[R]) -> R:
            await self._through(number)
            if isinstance(message, WatchTasks) and number in self.losing:
                self.losing.discard(number)
                await self._answer(message)
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
            return await self.followers.told(message.mirror, message.heard)
        assert isinstance(message, GetTask)
        await self.followers.settled(message.task_id)
        if self.is_read_by_others:
            await self.followers.shown(message.task_id)
        shown = self.tasks[message.task_id]
        self.followers.follow(message.mirror, shown)
        return shown

    def change(self, name: str) -> None:
        if name not in self.changes or self.changes[name].done():
            self.changes[name] = asyncio.create_task(self._change(name))

    async def _change(self, name: str) -> None:
        if self.is_read_by_others:
            await self.followers.hide([name])
        await self._steps()
        self.written[name] = next_state(self.tasks[name])
        await self._steps()
        if not self.is_read_by_others:
            await self.followers.hide([name], but_from_one=True)
        self.tasks[name] = self.written[name]
        self.followers.show(self.tasks[name])

    async def _steps(self) -> None:
        for _ in range(WRITE_STEPS):
            await asyncio.sleep(0)

    async def befall(self, event: str, what: object) -> None:
        match event, what:
            case "change", str(name):
                self.change(name)
            case "cut", int(number):
                self.cut.add(number)
            case "lose", int(number):
                self.losing.add(number)
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
READER = st.integers(0, MIRRORS)
"""A mirror; or who reads the journal."""
EVENT = st.one_of(
    st.tuples(st.just("change"), st.sampled_from("ab")),
    st.tuples(st.just("cut"), st.integers(0, MIRRORS - 1)),
    st.tuples(st.just("lose"), st.integers(0, MIRRORS - 1)),
    st.tuples(st.just("heal"), st.none()),
    st.tuples(st.just("step"), st.sampled_from([1, 2, 3, 50])),
    st.tuples(st.just("pass"), st.sampled_from([0.3, 1.0, 1.9, 2.1])),
    st.tuples(st.just("read"), st.lists(READER, min_size=1, max_size=4)),
)


@given(events=st.lists(EVENT, max_size=60), is_read_by_others=st.booleans())
@example(events=[("change", "a"), ("step", 5), ("lose", 0)], is_read_by_others=False)
@settings(max_examples=300, deadline=None)
def test_whoever_is_cut_off_no_status_goes_back_through_any_mirror(
    events: Sequence[tuple[str, object]], is_read_by_others: bool
) -> None:
    """And once all is well, all show the same; who watches a task has seen its last state."""
    asyncio.run(live(events, Service(is_read_by_others=is_read_by_others)))


async def live(events: Sequence[tuple[str, object]], service: Service) -> None:
    seen = dict[str, list[int]](a=[], b=[])
    async with mirrors_of(service, MIRRORS) as mirrors:
        watched = dict[str, Task | None]()
        watching = [asyncio.create_task(watch(mirrors[0], service.tasks[name], watched)) for name in "ab"]
        for event, what in events:
            if isinstance(what, list):
                for number in what:
                    await read(service, mirrors, number, seen)
            else:
                await service.befall(event, what)
        service.heal()
        await service.clock.pass_by(GOOD_FOR_S)
        await turns()
        for mirror in mirrors:
            assert [await mirror.get(name) for name in "ab"] == [*service.tasks.values()]
        for _ in range(50):
            if watched == service.tasks:
                break
            await turns()
        assert watched == service.tasks
        for running in watching:
            running.cancel()
    for lengths in seen.values():
        assert lengths == sorted(lengths)


async def watch(mirror: Mirror, first: Task, watched: dict[str, Task | None]) -> None:
    async for state in mirror.watch(first):
        before = watched.get(first.id)
        assert before is None or state is None or len(before.timeline) < len(state.timeline)
        watched[first.id] = state


async def read(service: Service, mirrors: Sequence[Mirror], reader: int, seen: dict[str, list[int]]) -> None:
    """A client's reads, one after the other: the next begins once this one is answered, or given up."""
    for name, lengths in seen.items():
        if reader == MIRRORS:
            if service.is_read_by_others:
                lengths.append(len(service.written[name].timeline))
            continue
        reading = asyncio.ensure_future(mirrors[reader].get(name))
        for _ in range(8):
            await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            continue
        with suppress(Unavailable):
            if (state := await reading) is not None:
                lengths.append(len(state.timeline))
