"""The fal engine and the emulator that it talks to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from deployments.engines.base import EngineContext
from deployments.engines.fal.engine import FalEngine
from deployments.engines.fal.queue import LOOK_S
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.settings import Environment
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import KEY, FalEmulator
from tests.fal_emulator.network import Network, egress_to_fal, network_of


@pytest.fixture
def fal() -> FalEmulator:
    return FalEmulator()


@pytest.fixture
async def network(fal: FalEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    async with network_of(fal, tmp_path, monkeypatch) as network:
        yield network


@pytest.fixture
async def egress(network: Network) -> AsyncIterator[Egress]:
    egress = egress_to_fal()
    yield egress
    await egress.aclose()


@pytest.fixture
def make_engine(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeEngine]:
    """Engines with these `engine_options`, whose looks may take `look_s`; between two tries or looks no time passes."""
    monkeypatch.setenv("FAL_KEY", KEY)

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    def make(look_s: float = LOOK_S, **options: object) -> FalEngine:
        context = EngineContext(egress, PictureLimits(), Environment(), {"deadline_s": 20} | options)
        return FalEngine(context, sleep=sleep, look_s=look_s)

    with stamina.set_testing(True, attempts=100, cap=True):
        yield make


@pytest.fixture
def engine(make_engine: MakeEngine) -> FalEngine:
    return make_engine()
