"""Erasure outside the journal: objects, and providers that delete, refuse, hang, or have no way to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from deployments.engines.base import Engine
from deployments.engines.loading import chosen_engines
from deployments.errors import SettingsError
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.storage import BuiltinStore
from deployments.media.storage.s3 import S3Store
from deployments.runtime.erasing import Erasing
from deployments.settings import Environment, Settings
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere
from deployments.tasks.traces import SentRequest

FAL, MINE, GONE = SentRequest("fal", "fal:a/requests/1"), SentRequest("my:E", "my:E:2"), SentRequest("gone", "gone:3")


class Deleting:
    """An engine whose provider deletes as `answer` says."""

    def __init__(self, answer: Callable[[str], Awaitable[bool]]) -> None:
        self.asked: list[str] = []
        self._answer = answer

    async def erase(self, receipt: str) -> bool:
        self.asked.append(receipt)
        return await self._answer(receipt)


async def yes(_: str) -> bool:
    return True


async def no(_: str) -> bool:
    return False


async def breaks(_: str) -> bool:
    raise ConnectionError


async def hangs(_: str) -> bool:
    await asyncio.Event().wait()
    return True


@pytest.fixture
def store(tmp_path: Path) -> BuiltinStore:
    return BuiltinStore(tmp_path, b"secret", max_bytes=100)


def erasing(store: BuiltinStore, engines: dict[str, object]) -> Erasing:
    def make(name: str) -> Engine:
        if name not in engines:
            raise SettingsError("its key is gone")
        return cast(Engine, engines[name])

    return Erasing(store, make, providers_s=0.05)


async def content() -> AsyncIterator[bytes]:
    yield b"picture"


async def test_objects_are_counted_where_they_were(store: BuiltinStore) -> None:
    """One that is not there any more, or was never written, counts for nothing."""
    there, never = (store.presign(None, "").key for _ in range(2))
    await store.write(there, content())
    assert await erasing(store, {}).erase(Elsewhere((there, never), ())) == ErasedElsewhere(1, frozenset())
    assert await erasing(store, {}).erase(Elsewhere((there,), ())) == ErasedElsewhere(0, frozenset())


async def test_a_bucket_has_rules_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks it for anything, and the report says that nothing of it was erased."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    bucket = S3Store("pictures", endpoint_url="http://127.0.0.1:1")
    erased = await Erasing(bucket, lambda _: cast(Engine, object())).erase(Elsewhere(("a", "b"), ()))
    assert erased == ErasedElsewhere(0, frozenset())


async def test_each_engine_is_asked_for_its_own(store: BuiltinStore) -> None:
    """With its own part of the receipt; engines that have no way to delete, or cannot be made, are told."""
    fal = Deleting(yes)
    erased = await erasing(store, {"fal": fal, "my:E": object()}).erase(Elsewhere((), (FAL, MINE, GONE)))
    assert erased.deleted == {FAL}
    assert fal.asked == ["a/requests/1"]


@pytest.mark.parametrize("answer", [no, breaks, hangs])
async def test_what_a_provider_does_not_delete_is_told(
    store: BuiltinStore, answer: Callable[[str], Awaitable[bool]]
) -> None:
    """It refuses, breaks down, or does not answer in time; the others are asked all the same."""
    engines: dict[str, object] = {"fal": Deleting(answer), "my:E": Deleting(yes)}
    erased = await erasing(store, engines).erase(Elsewhere((), (FAL, MINE)))
    assert erased.deleted == {MINE}


async def test_an_engine_that_cannot_be_made_any_more_stops_no_erasure(store: BuiltinStore) -> None:
    """The report says what was not deleted."""
    keyless = SentRequest("tests.engines.test_loading:Keyless", "tests.engines.test_loading:Keyless:1")
    choice, egress = chosen_engines(Settings(engine="local"), Environment()), Egress()
    erasing = Erasing(store, lambda name: choice.made(name, egress, PictureLimits()))
    assert await erasing.erase(Elsewhere((), (keyless,))) == ErasedElsewhere(0, frozenset())
    await egress.aclose()


async def test_an_engine_is_made_once(store: BuiltinStore) -> None:
    """It may load networks, or hold connections."""
    made: list[str] = []

    def make(name: str) -> Engine:
        made.append(name)
        return cast(Engine, Deleting(yes))

    one = Erasing(store, make)
    for number in range(3):
        await one.erase(Elsewhere((), (SentRequest("fal", f"fal:{number}"), FAL)))
    assert made == ["fal"]
