"""The mirrors that follow the tasks from other processes, and what each of them may still show.

A task changes its status only once no mirror shows the former one. So nobody sees a status go back, whichever process
is asked. First each mirror is told that the task is `Changing`; from then on it passes on what it is asked about the
task. It has heard so when it asks for more. One that does not ask is waited for until it may show nothing any more.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from deployments.tasks.feed import Changes, Feed, Mark
from deployments.tasks.record import Task


class Gone(NamedTuple):
    """The task `id` was erased: there is no such task any more."""

    id: str


class Changing(NamedTuple):
    """The task `id` is about to change: only the orchestrator knows how it stands, until that is told."""

    id: str


News = Task | Gone | Changing

_NO_TASK = ""


class Told(NamedTuple):
    """What has changed. Counted from the question, all that was told so far may be shown for `good_for_s` seconds."""

    changes: Changes[News]
    good_for_s: float


@dataclass(slots=True)
class _Mirror:
    """It has heard all news up to number `heard`, and may show what it knows until `until`."""

    heard: float = math.inf
    until: float = math.inf


class Timer(Protocol):
    def cancel(self) -> None: ...


def call_later(seconds: float, action: Callable[[], None]) -> Timer:
    """By the event loop's clock."""
    return asyncio.get_running_loop().call_later(seconds, action)


class Followers:
    """Use it on one event loop. What a mirror is told, it may show for `good_for()` seconds.

    It is answered after `watch_s` seconds at the latest. As long as there is one mirror alone, nothing is hidden from
    it: a change is shown at once, and whoever else asks waits until that mirror has heard of it.
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
        self._feed = Feed[News]()
        self._mirrors: dict[str, _Mirror] = {}
        self._hidden: dict[str, tuple[int, asyncio.Event]] = {}  # since which number; set once it is shown again
        self._unhidden: set[str] = set()  # their change will be shown at once, to the only mirror
        self._shown_at_once = 0  # the number of the latest such change
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()  # for a number to be heard by all
        self._timer: Timer | None = None

    async def told(self, name: str, since: Mark | None) -> Told:
        """The news since `since`, as soon as there are any, or none after a while. `name` is the mirror's own."""
        if since is not None and self._feed.made(since) and (mirror := self._showing().get(name)):
            mirror.heard = since.number
            self._go_on()
            changes = await self._feed.since(since, self._watch_s)
            if name in self._showing():
                return self._told(mirror, changes)
        return await self._told_again(name, since)

    async def _told_again(self, name: str, since: Mark | None) -> Told:
        """What a mirror is told that shows nothing: not yet, or not any more."""
        mirror = self._mirrors[name] = _Mirror()  # from now on, changes are hidden from all others
        try:
            await self.settled()
            changes = await self._feed.since(since, self._watch_s)
            mirror.heard = changes.mark.number
        finally:
            mirror.until = -math.inf
        return self._told(mirror, changes)

    def _told(self, mirror: _Mirror, changes: Changes[News]) -> Told:
        if not changes.is_gapless:
            changes = changes._replace(items=[*changes.items, *map(Changing, self._hidden)])
        good_for_s = self._good_for()
        mirror.until = max(mirror.until, self._monotonic() + good_for_s)
        return Told(changes, good_for_s)

    def show(self, news: Task | Gone) -> None:
        """Tells it to all mirrors."""
        self._feed.append(news)
        if hidden := self._hidden.pop(news.id, None):
            _, is_shown = hidden
            is_shown.set()
        elif news.id in self._unhidden:
            self._unhidden.remove(news.id)
            self._shown_at_once = self._feed.latest

    async def hide(self, task_ids: Collection[str]) -> None:
        """Returns once no mirror shows these tasks any more, or one mirror alone does. Show each of them again.

        Await it again just before: by then, there may be another mirror.
        """
        is_alone = len(self._showing()) <= 1
        if is_alone and not any(task_id in self._hidden for task_id in task_ids):
            self._unhidden.update(task_ids)
            return
        for task_id in task_ids:
            if task_id not in self._hidden:
                self._unhidden.discard(task_id)
                self._feed.append(Changing(task_id))
                self._hidden[task_id] = self._feed.latest, asyncio.Event()
        await self._heard(max(self._hidden[task_id][0] for task_id in task_ids))

    async def silence(self) -> None:
        """Returns once no mirror shows anything. From before on, `good_for` must return 0."""
        self._feed.append(Changing(_NO_TASK))  # who has heard it was answered since then
        await self._heard(self._feed.latest)

    async def settled(self) -> None:
        """Returns once all mirrors have heard what was shown at once."""
        await self._heard(self._shown_at_once)

    async def shown(self, task_id: str) -> None:
        """Returns once the task is not hidden."""
        if hidden := self._hidden.get(task_id):
            _, is_shown = hidden
            await is_shown.wait()

    async def _heard(self, number: int) -> None:
        """Returns once each mirror has heard the news up to `number`, or may show nothing any more."""
        if any(mirror.heard < number for mirror in self._showing().values()):
            heard = asyncio.get_running_loop().create_future()
            self._waiting.append((number, heard))
            self._go_on()
            await heard

    def _showing(self) -> dict[str, _Mirror]:
        """The mirrors that may show something; the others are forgotten."""
        now = self._monotonic()
        if any(mirror.until <= now for mirror in self._mirrors.values()):
            self._mirrors = {name: mirror for name, mirror in self._mirrors.items() if mirror.until > now}
        return self._mirrors

    def _go_on(self) -> None:
        """Ends the waiting for what all have heard."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        showing = self._showing().values()
        heard = min((mirror.heard for mirror in showing), default=math.inf)
        while self._waiting and self._waiting[0][0] <= heard:
            _, waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
        if self._waiting:
            wait_s = min(mirror.until for mirror in showing) - self._monotonic()
            self._timer = self._later(wait_s, self._go_on)
