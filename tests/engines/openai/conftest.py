"""The openai engine and the emulator that it talks to, over real HTTP on loopback."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from deployments.engines.base import EngineContext
from deployments.engines.openai.engine import OpenAIEngine
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.settings import Environment
from tests.engines.openai.making import MakeEngine
from tests.fal_emulator.http import serving
from tests.openai_emulator.emulator import KEY, OpenAIEmulator


@pytest.fixture
def server() -> OpenAIEmulator:
    return OpenAIEmulator()


@pytest.fixture
async def base_url(server: OpenAIEmulator) -> AsyncIterator[str]:
    async with serving(server.handle, None) as port:
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    """The door out, which lets nothing on this machine through."""
    egress = Egress()
    yield egress
    await egress.aclose()


@pytest.fixture
def make_engine(base_url: str, egress: Egress, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeEngine]:
    """Engines with these options, for which no time passes between two tries; the models are OpenAI's where not set."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    def make(**options: object) -> OpenAIEngine:
        models = dict.fromkeys(("portrait", "background", "blend"), "gpt-image-2")
        chosen = {
            "base_url": base_url,
            "deadline_s": 20,
            "models": models | {"cut_out": "gpt-image-2.5-flare"},
        } | options
        return OpenAIEngine(EngineContext(egress, PictureLimits(), Environment(), chosen), sleep=sleep)

    with stamina.set_testing(True, attempts=100, cap=True):
        yield make


@pytest.fixture
def engine(make_engine: MakeEngine) -> OpenAIEngine:
    return make_engine()
