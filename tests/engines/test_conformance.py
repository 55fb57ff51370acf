"""The conformance tests: kept by this project's engines and by the example of docs/engines.md, and by no broken one."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from blockbuster import BlockingError
from PIL import Image

from deployments.engines.base import Engine, EngineContext, Made, PaidCall
from deployments.engines.conformance import EngineConformance, PaidEngineConformance, Provider
from deployments.engines.local.engine import LocalEngine
from deployments.engines.openai.engine import OpenAIEngine
from deployments.errors import EngineOutcomeUnknown, TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment
from tests.engines.example_engine import ExampleEngine
from tests.engines.example_provider import ExampleProvider, Pictures
from tests.engines.fal.making import MakeEngine
from tests.engines.openai.making import MODELS
from tests.fal_emulator.emulator import FalEmulator
from tests.fal_emulator.http import serving
from tests.fal_emulator.network import Network, egress_to_fal
from tests.openai_emulator.emulator import KEY as OPENAI_KEY
from tests.openai_emulator.emulator import OpenAIEmulator

ASTRONAUT = Path(__file__).parents[1] / "data/astronaut.jpg"
PHOTO = encode(Image.linear_gradient("L").convert("RGB"))


async def no_time(_: float) -> None:
    """Instead of a pause."""
    await asyncio.sleep(0)


class TestLocal(EngineConformance):
    @pytest.fixture
    def engine(self) -> Engine:
        return LocalEngine(EngineContext(Egress(), PictureLimits(), Environment()))

    @pytest.fixture
    def photo(self) -> bytes:
        return ASTRONAUT.read_bytes()


@dataclass
class FalProvider:
    """The emulator, as the conformance tests ask it."""

    fal: FalEmulator

    @property
    def busy(self) -> bool:
        return self.fal.queue_s > 0

    @busy.setter
    def busy(self, busy: bool) -> None:
        self.fal.queue_s = 1e9 if busy else 0

    def submits(self) -> int:
        return self.fal.posts

    def is_cancelled(self, receipt: str) -> bool:
        return self.fal.requests[receipt.rpartition("/")[2]].cancelled


class TestFal(PaidEngineConformance):
    @pytest.fixture
    async def egress(self, network: Network) -> AsyncIterator[Egress]:
        egress = egress_to_fal()
        yield egress
        await egress.aclose()

    @pytest.fixture
    def engine(self, make_engine: MakeEngine) -> Engine:
        return make_engine()

    @pytest.fixture
    def provider(self, fal: FalEmulator) -> Provider:
        return FalProvider(fal)


class TestOpenAI(EngineConformance):
    """Its one call is the answer too, so what is kept for paid calls that are waited for is in `openai/`."""

    @pytest.fixture
    async def engine(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
        monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
        egress = Egress()
        async with serving(OpenAIEmulator().handle, None) as port:
            options = {"base_url": f"http://127.0.0.1:{port}/v1", "models": MODELS, "deadline_s": 20}
            yield OpenAIEngine(EngineContext(egress, PictureLimits(), Environment(), options))
        await egress.aclose()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ExampleProvider:
    monkeypatch.setenv("EXAMPLE_KEY", "a-key")
    return ExampleProvider()


class TestExample(PaidEngineConformance):
    @pytest.fixture
    def provider(self, example: ExampleProvider) -> Provider:
        return example

    @pytest.fixture
    def egress(self, example: ExampleProvider) -> Egress:
        return Pictures(example)

    @pytest.fixture
    def engine(self, example: ExampleProvider, egress: Egress) -> Engine:
        return ExampleEngine(
            EngineContext(egress, PictureLimits(), Environment()), transport=example.transport, sleep=no_time
        )


class Nameless(ExampleEngine):
    name: ClassVar[str] = ""


class Square(ExampleEngine):
    """Whatever the ratio."""

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall) -> Made:
        return await super().portrait(prompt, photos, AspectRatio.SQUARE, call)

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        return await super().background(prompt, AspectRatio.SQUARE, call)


class CutsNothingOut(ExampleEngine):
    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        return Made(picture)


class CutsAllOut(ExampleEngine):
    """Also what is cut out already."""

    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        return Made(Picture(data=encode(Image.new("RGBA", (256, 256)))))


class RaisesItsOwn(ExampleEngine):
    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        try:
            return await super().cut_out(picture, call)
        except TaskFailed as error:
            raise ValueError from error


class CannotBeCancelled(ExampleEngine):
    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall) -> Made:
        try:
            return await super().portrait(prompt, photos, ratio, call)
        except asyncio.CancelledError:
            return Made(photos[0])


class SleepsOnTheLoop(ExampleEngine):
    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        time.sleep(0.001)  # noqa: ASYNC251 - this is its fault
        return await super().background(prompt, ratio, call)


class ReckonsOnTheLoop(ExampleEngine):
    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
        return await super().background(prompt, ratio, call)


class TalksOfUrls(ExampleEngine):
    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        return replace(await super().background(prompt, ratio, call), notes=("See https://api.example.com/jobs/1.",))


class SubmitsPastTheCall(ExampleEngine):
    """No claim, no receipt."""

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        return await self._result(await self._submit("scene", {"size": [8, 8]}), call)


class SubmitsAgain(ExampleEngine):
    """After an outcome that nobody knows."""

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        try:
            return await super().background(prompt, ratio, call)
        except EngineOutcomeUnknown:
            return await self._result(await self._submit("scene", {"size": [8, 8]}), call)


class NeverCancels(ExampleEngine):
    def _cancel_soon(self, receipt: str, call: PaidCall) -> None:
        pass


class CancelsWhatIsWanted(ExampleEngine):
    async def _cancel(self, receipt: str, call: PaidCall) -> None:
        await call.is_wanted()
        await self._http.delete(f"/jobs/{receipt}")


class Impatient(PaidEngineConformance):
    patience_s = 0.2


SUITE = Impatient()
Check = Callable[[Engine, ExampleProvider, Egress], Awaitable[None]]

BROKEN: list[tuple[type[ExampleEngine], Check]] = [
    (Square, lambda e, _, egress: SUITE.test_a_portrait_has_about_the_ratio(e, egress, PHOTO, AspectRatio.WIDE)),
    (
        Square,
        lambda e, _, egress: SUITE.test_a_background_is_opaque_and_has_about_the_ratio(e, egress, AspectRatio.TALL),
    ),
    (CutsNothingOut, lambda e, _, egress: SUITE.test_a_cut_out_has_the_same_size_and_transparency(e, egress, PHOTO)),
    (CutsAllOut, lambda e, _, egress: SUITE.test_a_cut_out_has_the_same_size_and_transparency(e, egress, PHOTO)),
    (CutsAllOut, lambda e, _, __: SUITE.test_what_has_transparency_is_not_cut_out_again(e)),
    (RaisesItsOwn, lambda e, _, __: SUITE.test_what_is_no_picture_ends_the_task(e, "cut_out")),
    (CannotBeCancelled, lambda e, _, __: SUITE.test_a_verb_can_be_cancelled(e, PHOTO)),
    (SleepsOnTheLoop, lambda e, _, __: SUITE.test_the_event_loop_stays_free(e, PHOTO, "background")),
    (ReckonsOnTheLoop, lambda e, _, __: SUITE.test_the_event_loop_stays_free(e, PHOTO, "background")),
    (TalksOfUrls, lambda e, _, egress: SUITE.test_many_tasks_at_once(e, egress)),
    (SubmitsPastTheCall, lambda e, p, egress: SUITE.test_a_receipt_is_waited_for(e, p, egress, PHOTO, "background")),
    (SubmitsPastTheCall, lambda e, p, _: SUITE.test_each_call_has_a_request_of_its_own(e, p)),
    (SubmitsAgain, lambda e, p, _: SUITE.test_an_unknown_submit_is_not_repeated(e, p, PHOTO, "background")),
    (CannotBeCancelled, lambda e, p, _: SUITE.test_a_submit_under_way_is_landed(e, p, PHOTO, "portrait")),
    (NeverCancels, lambda e, p, _: SUITE.test_a_submit_under_way_is_landed(e, p, PHOTO, "background")),
    (NeverCancels, lambda e, p, _: SUITE.test_what_nobody_wants_is_cancelled_at_the_provider(e, p, PHOTO, "blend")),
    (NeverCancels, lambda e, p, egress: SUITE.test_what_is_still_wanted_runs_on(e, p, egress, PHOTO, "blend")),
    (CancelsWhatIsWanted, lambda e, p, egress: SUITE.test_what_is_still_wanted_runs_on(e, p, egress, PHOTO, "blend")),
]


@pytest.mark.parametrize(("kind", "check"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
async def test_a_broken_engine_is_noticed(kind: type[ExampleEngine], check: Check, example: ExampleProvider) -> None:
    """Each promise is broken once, and one test fails."""
    egress = Pictures(example)
    engine = kind(EngineContext(egress, PictureLimits(), Environment()), transport=example.transport, sleep=no_time)
    with pytest.raises((AssertionError, BlockingError, TimeoutError, ValueError, pytest.fail.Exception)):
        await check(engine, example, egress)


def test_a_nameless_engine_is_noticed(example: ExampleProvider) -> None:
    """Its name is what callers are shown."""
    with pytest.raises(AssertionError, match="name"):
        SUITE.test_it_has_what_an_engine_has(Nameless(EngineContext(Egress(), PictureLimits(), Environment())))
