"""The mirrors that show tasks in other processes: what each of them shows, and what it must be told.

A mirror shows the tasks that it was asked about, and is told their changes, in order, by one long-poll. A task changes
its status only once no mirror shows the former one. So nobody sees a status go back, whichever process is asked. First
the mirrors that show the task are told that it is `Changing`; from then on they pass on what they are asked about it. A
mirror has heard so when it asks for more. One that does not ask is waited for until it may show nothing any more.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, Protocol

from deployments.tasks.record import Task

ENDED_AT_MOST = 10_000
"""So many ended tasks a mirror shows."""


@dataclass(frozen=True)
class Gone:
    """The mirror is told of the task `id` no more: it was erased, or has ended long ago."""

    id: str


@dataclass(frozen=True)
class Changing:
    """The task `id` is about to change: only the orchestrator knows how it stands, until that is told."""

    id: str


News = Task | Gone | Changing


class Told(NamedTuple):
    """The newest that a mirror has not heard yet of each task that it shows.

    A question that is repeated is answered with the same, since an answer may be lost. `number` is to be given with the
    next question. Counted from this question, all that was told so far may be shown for `good_for_s` seconds. If
    `from_anew`, what was told before may not be shown any more.
    """

    number: int
    news: list[News]
    good_for_s: float
    from_anew: bool


class Timer(Protocol):
    def cancel(self) -> None: ...


def call_later(seconds: float, action: Callable[[], None]) -> Timer:
    """By the event loop's clock."""
    return asyncio.get_running_loop().call_later(seconds, action)


class _Mirror:
    """It may show what it was told until `until`; it has heard all up to number `heard`, and from `first` on.

    `numbers` are shared by all mirrors: no number means two things.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self.shows = set[str]()
        self.until = -math.inf
        self.first = self.heard = self.latest = next(numbers)
        self.news = dict[str, tuple[int, News]]()  # of each task the newest that it has not heard, with its number
        self.arrived = asyncio.Event()
        self.at_once = dict[str, int]()  # the number of a change that others do not see before this one hears it
        self._ended = dict[str, None]()  # those that have ended, the oldest end first
        self._waiting = list[tuple[int, asyncio.Future[None]]]()

    def tell(self, news: News) -> None:
        if isinstance(news, Gone):
            self.shows.discard(news.id)
            self._ended.pop(news.id, None)
        self.news.pop(news.id, None)
        self.news[news.id] = (self.wake(), news)
        if isinstance(news, Task) and news.is_ended:
            self._ended[news.id] = None
            if len(self._ended) > ENDED_AT_MOST:
                self.tell(Gone(next(iter(self._ended))))

    def wake(self) -> int:
        """Ends the long-poll; returns the number that has been heard once the mirror asks again."""
        self.latest = next(self._numbers)
        self.arrived.set()
        return self.latest

    def has_heard(self, number: int) -> None:
        self.heard = max(self.heard, number)
        self.news = {task_id: (at, news) for task_id, (at, news) in self.news.items() if at > number}
        self.at_once = {task_id: at for task_id, at in self.at_once.items() if at > number}
        waiting, self._waiting = self._waiting, []
        for at, heard in waiting:
            if at > number:
                self._waiting.append((at, heard))
            elif not heard.done():
                heard.set_result(None)

    def hears(self, number: int) -> asyncio.Future[None]:
        """Is done once it has heard all up to this number, or may show nothing any more."""
        heard = asyncio.get_running_loop().create_future()
        self._waiting.append((number, heard))
        return heard

    @property
    def is_waited_for(self) -> bool:
        return bool(self._waiting)


class _Hidden(NamedTuple):
    """A task that no mirror may show: by which number each was told that did; and whether it is shown again."""

    told: list[tuple[_Mirror, int]]
    shown: asyncio.Event


class Followers:
    """Use it on one event loop. What a mirror is told, it may show for `good_for()` seconds.

    A mirror is answered after `watch_s` seconds at the latest.
    """

    def __init__(
        self,
        *,
        good_for: Callable[[], float],
        watch_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], Timer] = call_later,
    ) -> None:
        self._good_for = good_for
        self._watch_s = watch_s
        self._monotonic = monotonic
        self._later = later
        self._mirrors: dict[str, _Mirror] = {}
        self._hidden: dict[str, _Hidden] = {}
        self._timer: Timer | None = None
        self._numbers = count(time.time_ns())  # larger than those of an earlier process

    async def told(self, name: str, heard: int | None) -> Told:
        """What the mirror of that name has not heard yet: as soon as there is something, or nothing after a while.

        `heard` is the number of what it was told last; None where it shows nothing.
        """
        mirror = self._alive().get(name)
        if mirror is None or heard is None:
            return await self._told_from_anew(name)
        if not mirror.first <= heard <= mirror.latest:  # it has not heard that it begins anew
            return self._answer(mirror, from_anew=True)
        mirror.has_heard(heard)
        if mirror.latest == heard:
            mirror.arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._watch_s):  # Python 3.11's wait_for may lose a cancellation
                    await mirror.arrived.wait()
        if self._alive().get(name) is not mirror:  # its time has run out, or it has asked again meanwhile
            return Told(0, [], 0, from_anew=True)
        return self._answer(mirror, from_anew=False)

    async def _told_from_anew(self, name: str) -> Told:
        self._forget(name)
        if self._good_for() <= 0:
            await asyncio.sleep(self._watch_s)  # it would ask again and again
        mirror = self._mirrors[name] = _Mirror(self._numbers)
        return self._answer(mirror, from_anew=True)

    def _answer(self, mirror: _Mirror, *, from_anew: bool) -> Told:
        good_for_s = self._good_for()
        mirror.until = max(mirror.until, self._monotonic() + good_for_s)
        return Told(mirror.latest, [news for _, news in mirror.news.values()], good_for_s, from_anew)

    def follow(self, name: str, task: Task) -> None:
        """The mirror of that name has asked about a task that stands so: it is told that, and its changes.

        Nothing happens if it may show nothing.
        """
        if (mirror := self._alive().get(name)) is None:
            return
        mirror.shows.add(task.id)
        if task.id not in self._hidden:
            mirror.tell(task)

    def show(self, news: Task | Gone) -> None:
        """Tells it to the mirrors that show the task."""
        showing = self._showing(news.id)
        for mirror in showing:
            mirror.tell(news)
        if hidden := self._hidden.pop(news.id, None):
            hidden.shown.set()
        elif len(showing) == 1:
            (mirror,) = showing
            mirror.at_once[news.id] = mirror.latest

    async def hide(self, task_ids: Collection[str], *, but_from_one: bool = False) -> None:
        """Returns once no mirror shows these tasks any more. They stay hidden until each is shown again.

        `but_from_one`: a task that one mirror alone shows is not hidden, since that contradicts no other. Show its
        change before anything else is awaited. Whoever else asks about it then waits until that mirror has heard of it.
        """
        for task_id in task_ids:
            showing = self._showing(task_id)
            if task_id in self._hidden or (but_from_one and len(showing) <= 1):
                continue
            for mirror in showing:
                mirror.tell(Changing(task_id))
            self._hidden[task_id] = _Hidden([(mirror, mirror.latest) for mirror in showing], asyncio.Event())
        for task_id in task_ids:
            if hidden := self._hidden.get(task_id):
                await self._heard(hidden.told)

    async def silence(self) -> None:
        """Returns once no mirror shows anything. From before on, `good_for` must return 0."""
        await self._heard([(mirror, mirror.wake()) for mirror in self._alive().values()])

    async def settled(self, task_id: str) -> None:
        """Returns once what the orchestrator shows of the task contradicts no mirror."""
        while told := [(one, one.at_once[task_id]) for one in self._alive().values() if task_id in one.at_once]:
            await self._heard(told)

    async def shown(self, task_id: str) -> None:
        """Returns once the task is not hidden."""
        while hidden := self._hidden.get(task_id):
            await hidden.shown.wait()

    async def _heard(self, told: Collection[tuple[_Mirror, int]]) -> None:
        """Returns once each of these mirrors has heard what it was told, or may show nothing any more."""
        for mirror, number in told:
            if mirror.heard < number:
                heard = mirror.hears(number)
                self._watch_the_clock()
                await heard

    def _watch_the_clock(self) -> None:
        """Forgets mirrors that are waited for when their time runs out."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waited_for = [mirror.until for mirror in self._alive().values() if mirror.is_waited_for]
        if waited_for:
            self._timer = self._later(min(waited_for) - self._monotonic(), self._watch_the_clock)

    def _showing(self, task_id: str) -> list[_Mirror]:
        return [mirror for mirror in self._alive().values() if task_id in mirror.shows]

    def _alive(self) -> dict[str, _Mirror]:
        """The mirrors that may show something; the others are forgotten."""
        now = self._monotonic()
        for name in [name for name, mirror in self._mirrors.items() if mirror.until <= now]:
            self._forget(name)
        return self._mirrors

    def _forget(self, name: str) -> None:
        if mirror := self._mirrors.pop(name, None):
            mirror.has_heard(mirror.latest)
