"""Running steps: works that came in one message end one by one, and can be called off one by one."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import pytest

from deployments.errors import Unavailable
from deployments.media.picture import Picture
from deployments.tasks.batches import MOST_BYTES, Answers
from deployments.tasks.feed import Feed
from deployments.tasks.messages import CalledOff, Message, WatchCalledOff
from deployments.tasks.operations import StepId
from deployments.tasks.running_steps import RunningSteps, StepLost
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import no_sleep, task_and_work, turns

R = TypeVar("R")
LONG_S, AT_ONCE_S = 60, 0


class Actor:
    """One that is away for the first few questions."""

    def __init__(self, away: int = 0) -> None:
        self.feed = Feed[CalledOff]()
        self.away = away

    async def ask(self, message: Message[R]) -> R:
        assert isinstance(message, WatchCalledOff)
        if self.away:
            self.away -= 1
            raise Unavailable("Away.", 1)
        return cast(R, await self.feed.since(message.since, LONG_S))

    async def call_off(self, *called_off: CalledOff) -> None:
        for one in called_off:
            self.feed.append(one)
        await turns()


class Stage:
    """Works for as long as the test says."""

    def __init__(self) -> None:
        self.running: dict[tuple[str, int], asyncio.Future[Outcome]] = {}

    async def __call__(self, request: StepRequest) -> Outcome:
        key = request.task_id, request.attempt
        self.running[key] = asyncio.get_running_loop().create_future()
        try:
            return await self.running[key]
        finally:
            del self.running[key]

    def finish(self, request: StepRequest) -> None:
        self.running[request.task_id, request.attempt].set_result(request.work)


def step(task_id: str, attempt: int = 1) -> StepRequest:
    return StepRequest(task_and_work(task_id)[1], StepId.UPLOAD, attempt)


A, B, C = step("a"), step("b"), step("c")


@asynccontextmanager
async def following(actor: Actor, gather_s: float = AT_ONCE_S, remembered: int = 1_000) -> AsyncIterator[RunningSteps]:
    runs = RunningSteps(actor.ask, gather_s=gather_s, remembered=remembered, sleep=no_sleep)
    follow = asyncio.create_task(runs.follow())
    await turns()
    yield runs
    follow.cancel()


async def news(coming: Answers[Outcome]) -> Sequence[tuple[int, Outcome | Exception]]:
    """The next answers, which must be there."""
    coming_next = asyncio.ensure_future(anext(coming))
    await turns()
    return coming_next.result()


async def begun(runs: RunningSteps, stage: Stage, *requests: StepRequest) -> Answers[Outcome]:
    """The answers to come, of works that have arrived; who lets go of them stops listening."""
    coming = runs.together(requests, stage)
    assert not await news(coming)
    return coming


def places(answers: Sequence[tuple[int, Outcome | Exception]]) -> list[int]:
    return sorted(place for place, _ in answers)


async def test_outcomes_come_as_they_are_done() -> None:
    """After word that the works have arrived; each tells its work's place."""
    stage = Stage()
    async with following(Actor()) as runs:
        coming = await begun(runs, stage, A, B, C)
        for place, done in ((1, B), (0, A), (2, C)):
            stage.finish(done)
            assert await news(coming) == [(place, done.work)]
        with pytest.raises(StopAsyncIteration):
            await news(coming)


async def test_outcomes_that_come_soon_after_one_another_travel_together() -> None:
    """The last of a message is waited for no longer than it takes."""
    stage = Stage()
    async with following(Actor()) as runs:
        coming = await begun(runs, stage, A, B)
        runs.gather_s = LONG_S
        answers = asyncio.ensure_future(anext(coming))
        for done in (B, A):
            stage.finish(done)
            await turns()
        assert places(answers.result()) == [0, 1]


async def test_what_is_done_at_once_is_answered_with_the_first_word() -> None:
    """That the works have arrived, it tells as well."""
    stage = Stage()
    async with following(Actor(), gather_s=LONG_S) as runs:
        coming = runs.together([A, B], stage)
        answers = asyncio.ensure_future(anext(coming))
        await turns()
        for done in (B, A):
            stage.finish(done)
            await turns()
        assert places(answers.result()) == [0, 1]


async def test_large_pictures_travel_in_messages_of_their_own() -> None:
    """Who reads them holds one message at a time."""
    picture = Picture(data=bytes(MOST_BYTES // 2 + 1))
    stage = Stage()
    async with following(Actor()) as runs:
        coming = await begun(runs, stage, A, B)
        for done in (A, B):
            stage.running[done.task_id, 1].set_result(done.work.carrying(picture, opaque=True))
        assert [len(await news(coming)), len(await news(coming))] == [1, 1]


async def test_a_run_that_raises_spoils_no_other() -> None:
    """What it raised may be something that cannot travel; that it was lost can."""
    stage = Stage()
    async with following(Actor()) as runs:
        coming = await begun(runs, stage, A, B)
        stage.running["a", 1].set_exception(ValueError(lambda: "cannot be pickled"))
        [(place, lost)] = await news(coming)
        assert (place, type(lost)) == (0, StepLost)
        assert "cannot be pickled" not in str(pickle.loads(pickle.dumps(lost)))  # noqa: S301 - our own
        stage.finish(B)
        assert await news(coming) == [(1, B.work)]


async def test_what_is_called_off_ends_and_nothing_else_does() -> None:
    """Neither a newer attempt at the task, nor other tasks."""
    actor, stage, newer = Actor(), Stage(), step("a", 3)
    async with following(actor) as runs:
        coming = await begun(runs, stage, A, step("a", 2), newer, B)
        await actor.call_off(CalledOff("a", 2))
        assert set(stage.running) == {("a", 3), ("b", 1)}
        lost = await news(coming)
        assert {(place, type(answer)) for place, answer in lost} == {(0, StepLost), (1, StepLost)}
        for still_running in (newer, B):
            stage.finish(still_running)
        assert places(await news(coming)) == [2, 3]


async def test_what_is_called_off_before_it_comes_does_not_run() -> None:
    """The word may overtake the work; a newer attempt runs."""
    actor, stage = Actor(), Stage()
    async with following(actor) as runs:
        await actor.call_off(CalledOff("a", 1))
        coming = runs.together([A, step("a", 2)], stage)
        [(place, lost)] = await news(coming)
        assert set(stage.running) == {("a", 2)}
        assert (place, type(lost)) == (0, StepLost)


async def test_of_what_was_called_off_only_the_newest_is_remembered() -> None:
    """Most of it never comes: it must not gather for ever."""
    actor, stage = Actor(), Stage()
    async with following(actor, remembered=2) as runs:
        await actor.call_off(CalledOff("a", 1))
        await actor.call_off(CalledOff("b", 1), CalledOff("c", 1))
        coming = runs.together([A, B, C], stage)
        assert {place for place, _ in await news(coming)} == {1, 2}
        assert set(stage.running) == {("a", 1)}


async def test_when_nobody_listens_any_more_all_runs_end() -> None:
    """Those whose caller has died, or was cancelled, work for nobody."""
    stage = Stage()
    async with following(Actor()) as runs:
        leaving, _staying = await begun(runs, stage, A, B), await begun(runs, stage, C)
        await leaving.aclose()  # type: ignore[attr-defined]  # it is a generator
        await turns()
        assert set(stage.running) == {("c", 1)}


async def test_a_listener_who_is_cancelled_ends_the_runs_too() -> None:
    """That is how a call that was given up comes to an end here."""
    stage = Stage()
    async with following(Actor()) as runs:
        listening = asyncio.ensure_future(anext(await begun(runs, stage, A, B)))
        await turns()
        listening.cancel()
        await turns()
        assert stage.running == {}


async def test_a_source_that_is_away_is_asked_again() -> None:
    """What was called off meanwhile is heard afterwards."""
    actor, stage = Actor(away=3), Stage()
    async with following(actor) as runs:
        _coming = await begun(runs, stage, A)
        await actor.call_off(CalledOff("a", 1))
        assert (actor.away, stage.running) == (0, {})


async def test_a_source_that_has_started_anew_is_heard() -> None:
    """Its new feed tells of what was called off before it was asked."""
    actor, stage = Actor(), Stage()
    async with following(actor) as runs:
        _coming = await begun(runs, stage, A, B)
        old, actor.feed = actor.feed, Feed[CalledOff]()
        await actor.call_off(CalledOff("a", 1))
        old.append(CalledOff("nobody", 1))  # the old one is over
        await turns()
        assert set(stage.running) == {("b", 1)}


async def test_its_length_is_the_number_of_runs() -> None:
    """Several attempts at one task are several runs."""
    stage = Stage()
    async with following(Actor()) as runs:
        assert len(runs) == 0
        coming = await begun(runs, stage, A, step("a", 2), B)
        assert len(runs) == 3
        for done in (A, B):
            stage.finish(done)
            await news(coming)
        assert len(runs) == 1
