"""The way to the actor, where the actor is lost on it."""

from collections import deque
from collections.abc import Callable

import pytest
import ray
from ray.exceptions import RayActorError

from deployments import task_status_client
from deployments.errors import Unavailable
from deployments.task_status_client import TaskStatusClient


class Method:
    def __init__(self, answer: Callable[[str], object], name: str) -> None:
        self._answer = answer
        self._name = name

    async def remote(self, *_: object) -> object:
        return self._answer(self._name)


class Actor:
    """Answers each call with `answer`, called with the method's name."""

    def __init__(self, answer: Callable[[str], object]) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Method:
        return Method(self._answer, name)


def killed(_: str) -> object:
    raise RayActorError


@pytest.fixture
def actors(monkeypatch: pytest.MonkeyPatch) -> deque[Actor]:
    """One after the other is found; where there is none, there is no actor yet."""
    known: deque[Actor] = deque()

    def get_actor(_: str, **__: object) -> Actor:
        if not known:
            raise ValueError
        return known.popleft()

    monkeypatch.setattr(ray, "get_actor", get_actor)
    monkeypatch.setattr(task_status_client, "RETRY_SECONDS", 0)
    return known


async def test_what_a_stage_has_paid_for_is_heard_by_the_actors_successor(actors: deque[Actor]) -> None:
    """A receipt that got lost would make a paid picture one of which nobody knows."""
    client, heard = TaskStatusClient("aige"), []

    def answer(name: str) -> object:
        heard.append(name)
        return "request 1" if name == "claim" else [None]

    actors.extend([Actor(killed), Actor(killed), Actor(answer)])
    assert await client.claim("t", 1, "stage", "token") == "request 1"
    actors.extend([Actor(killed), Actor(answer)])
    client = TaskStatusClient("aige")
    await client.record("t", "stage", "token", "request 1")
    actors.extend([Actor(killed), Actor(answer)])
    client = TaskStatusClient("aige")
    await client.release("t", "stage", "token")
    assert heard == ["claim", "together", "together"]


async def test_whoever_may_ask_again_is_told_to(actors: deque[Actor]) -> None:
    """An attempt whose actor is gone is lost, and its successor begins another."""
    client = TaskStatusClient("aige")
    for found in ([Actor(killed)], []):
        actors.extend(found)
        with pytest.raises(Unavailable):
            await client.get("t")
