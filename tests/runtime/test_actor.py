"""Who hangs, and who does not: nobody is replaced who would answer."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from ray.actor import ActorHandle
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayActorError

from deployments.errors import SettingsError
from deployments.runtime.actor import MOST_REPLACED, DetachedActor, cpus, hangs, identity_of
from deployments.settings import Settings


def answering(*answers: object) -> Callable[[], Awaitable[object]]:
    """Probes that are answered so, one after the other: raised where it is an exception, never where it is None."""
    coming = iter(answers)

    async def probe() -> object:
        answer = next(coming)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return probe


RESTARTS = ActorUnavailableError("it restarts", None)


async def test_one_that_never_answers_hangs() -> None:
    """Whatever it did before."""
    assert await hangs(answering("identity", "identity", None), patience=3, probe_s=0) is True


async def test_one_that_restarts_does_not_hang() -> None:
    """Ray brings it back; reading a long journal may take it longer than any patience."""
    assert await hangs(answering(*[RESTARTS] * 20, "identity", ActorDiedError()), patience=3, probe_s=0) is False


async def test_one_that_is_dead_for_good_is_no_hung_one() -> None:
    """Another ingress has killed it, and has started its successor."""
    assert await hangs(answering("identity", ActorDiedError()), patience=3, probe_s=0) is False


async def test_one_that_answers_late_again_and_again_does_not_hang() -> None:
    """Silence counts from its last answer."""
    late, asked = asyncio.Queue[None](), 0

    async def probe() -> object:
        nonlocal asked
        asked += 1
        if asked == 10:
            raise ActorDiedError
        await late.get()
        return "identity"

    async def answer_now_and_then() -> None:
        while True:
            await asyncio.sleep(0)
            late.put_nowait(None)

    answers = asyncio.create_task(answer_now_and_then())
    assert await hangs(probe, patience=20, probe_s=0) is False
    answers.cancel()


async def test_who_was_stopped_itself_hears_the_answer_before_it_judges() -> None:
    """An ingress that wakes up after minutes has waited once: the answer that lies there counts."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    probes = 0

    async def probe() -> object:
        nonlocal probes
        probes += 1
        if probes > 1:
            raise ActorDiedError
        await answered.wait()
        return "identity"

    async def stopped(seconds: float) -> None:
        until = loop.time() + seconds
        while loop.time() < until:
            pass
        answered.set()

    sleeping = asyncio.create_task(stopped(0.05))
    assert await hangs(probe, patience=3, probe_s=0.01) is False
    await sleeping


class Identity:
    def __init__(self, identity: str | Exception) -> None:
        self._identity = identity

    async def remote(self) -> str:
        if isinstance(self._identity, Exception):
            raise self._identity
        return self._identity


class Actor:
    """Answers with its identity, or is gone."""

    def __init__(self, identity: str | Exception) -> None:
        self.identity = Identity(identity)


class Life:
    """A cluster in which one actor after the other is found, the last one for ever."""

    def __init__(self, *identities: str | Exception) -> None:
        self._coming = list(identities)
        self.killed = 0

    def find_or_make(self, _wanted: DetachedActor, _app_name: str) -> ActorHandle[object]:
        identity = self._coming.pop(0) if len(self._coming) > 1 else self._coming[0]
        return cast(ActorHandle[object], Actor(identity))

    def kill(self, _actor: ActorHandle[object]) -> None:
        self.killed += 1

    @property
    def actor(self) -> DetachedActor:
        return DetachedActor(object, Settings(), "0.1.0+abc", self.find_or_make, self.kill)


OURS = identity_of(Settings(), "0.1.0+abc")
OTHER = identity_of(Settings(), "0.2.0+def")


def test_an_identity_is_a_build_and_the_settings() -> None:
    """Whatever files the node has; so two nodes agree, and a person can read it."""
    assert OURS.startswith("0.1.0+abc, settings ")
    assert identity_of(Settings(attempts=7), "0.1.0+abc") not in {OURS, OTHER}


async def test_an_actor_of_another_identity_is_replaced_once() -> None:
    """Its successor goes on with the journal."""
    life = Life(OTHER, OURS)
    await life.actor.started("aige")
    assert life.killed == 1


async def test_two_versions_in_one_cluster_end_with_a_reason() -> None:
    """Not by killing each other's actor for ever."""
    life = Life(OTHER)
    with pytest.raises(SettingsError) as caught:
        await life.actor.started("aige")
    assert OURS in str(caught.value)
    assert OTHER in str(caught.value)
    assert life.killed == MOST_REPLACED


async def test_an_actor_that_cannot_start_is_not_tried_again() -> None:
    """Its constructor has said why."""
    life = Life(RayActorError(actor_init_failed=True), OURS)
    with pytest.raises(RayActorError):
        await life.actor.started("aige")


async def test_the_event_loop_goes_on_while_ray_blocks() -> None:
    """As its calls do while the head is away: for a minute or two."""
    life, went_on = Life(OTHER, OURS), threading.Event()

    def blocking_find(wanted: DetachedActor, app_name: str) -> ActorHandle[object]:
        assert went_on.wait(10)
        return life.find_or_make(wanted, app_name)

    def blocking_kill(actor: ActorHandle[object]) -> None:
        went_on.clear()
        asyncio.run_coroutine_threadsafe(go_on(), loop)
        assert went_on.wait(10)
        life.kill(actor)

    async def go_on() -> None:
        went_on.set()

    loop = asyncio.get_running_loop()
    loop.call_soon(went_on.set)
    await DetachedActor(object, Settings(), "0.1.0+abc", blocking_find, blocking_kill).started("aige")
    assert life.killed == 1


def test_the_actor_asks_for_a_cpu_only_where_there_are_other_nodes() -> None:
    """A laptop may have given away all it has; a head that gives none is not the place for it."""
    assert cpus(1) == 0
    assert 0 < cpus(2) <= 0.01
