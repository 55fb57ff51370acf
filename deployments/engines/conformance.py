"""Tests of what `deployments.engines.base` promises, for the author of an engine to run on theirs.

    class TestMine(EngineConformance):
        @pytest.fixture
        def engine(self) -> Engine:
            return MyEngine(EngineContext(Egress(), PictureLimits(), Environment(), {"an_option": 1}))

An engine that pays for its pictures subclasses `PaidEngineConformance`. pytest and the two packages that these tests
need come with the extra `conformance`; nothing that the service runs imports this module.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

import pytest
from blockbuster import blockbuster_ctx
from PIL import Image

from deployments.engines.base import Engine, Made, PaidCall
from deployments.engines.memory_call import MemoryCall
from deployments.errors import EngineOutcomeUnknown, TaskFailed
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, crop_to_ratio, decode, encode, is_opaque
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio

VERBS = ("portrait", "background", "cut_out", "blend")
LIMITS = PictureLimits()

KEPT_BY_THE_CROP = 0.75
"""A stage crops what an engine makes to the exact ratio: at least this part of the pixels must be left."""
LONGEST_TURN_S = 0.1
"""Of the event loop, in seconds of CPU time."""


class EngineConformance:
    """For every engine. The subclass gives `engine`, and the other fixtures where the defaults do not suit."""

    patience_s: ClassVar[float] = 20
    """What a test has waited for so many seconds does not happen."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("give your engine as the fixture `engine`")

    @pytest.fixture
    def egress(self) -> Egress:
        """What fetches the pictures that the engine returns as URLs."""
        return Egress()

    @pytest.fixture
    def photo(self) -> bytes:
        """An encoded, opaque photo. An engine that looks for a person needs one with a person in it."""
        return encode(Image.linear_gradient("L").convert("RGB"))

    def test_it_has_what_an_engine_has(self, engine: Engine) -> None:
        """Four verbs, a name, and two facts about itself."""
        assert isinstance(engine, Engine), "a verb, `name`, `generative` or `blends` is missing"
        assert isinstance(engine.name, str), "`name` is a string"
        assert engine.name, "`name` is shown to callers"
        assert isinstance(engine.generative, bool), "`generative` is True or False"
        assert isinstance(engine.blends, bool), "`blends` is True or False"

    @pytest.mark.asyncio
    @pytest.mark.parametrize("ratio", AspectRatio)
    async def test_a_portrait_has_about_the_ratio(
        self, engine: Engine, egress: Egress, photo: bytes, ratio: AspectRatio
    ) -> None:
        """It is a PNG, JPEG or WebP from which the crop to the exact ratio takes little."""
        made = await engine.portrait("A portrait", [Picture(data=photo)], ratio, MemoryCall())
        _check_shape(await _opened(made, egress), ratio.quotient)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("ratio", AspectRatio)
    async def test_a_background_is_opaque_and_has_about_the_ratio(
        self, engine: Engine, egress: Egress, ratio: AspectRatio
    ) -> None:
        """It is a PNG, JPEG or WebP without transparency."""
        image = await _opened(await engine.background("A quiet beach", ratio, MemoryCall()), egress)
        _check_shape(image, ratio.quotient)
        assert is_opaque(image), "a background has no transparent pixel"

    @pytest.mark.asyncio
    async def test_a_cut_out_has_the_same_size_and_transparency(
        self, engine: Engine, egress: Egress, photo: bytes
    ) -> None:
        """The person stays, everything else becomes transparent."""
        image = await _opened(await engine.cut_out(Picture(data=photo), MemoryCall()), egress)
        assert image.size == decode(photo, LIMITS).size, "a cut-out has its picture's size"
        assert not is_opaque(image), "everything but the person is transparent"
        assert image.getchannel("A").getbbox() is not None, "the person is not transparent"

    @pytest.mark.asyncio
    async def test_what_has_transparency_is_not_cut_out_again(self, engine: Engine) -> None:
        """It comes back unchanged, and costs nothing."""
        picture, call = Picture(data=encode(Image.new("RGBA", (64, 64), (255, 0, 0, 100)))), MemoryCall()
        made = await engine.cut_out(picture, call)
        assert made.picture == picture, "a picture with transparency is returned as it is"
        assert call.sends == 0, "nothing was submitted"

    @pytest.mark.asyncio
    async def test_a_blend_keeps_the_shape(self, engine: Engine, egress: Egress) -> None:
        """The stage brings it to the canvas's exact pixels. One that does not blend is never asked."""
        if not engine.blends:
            return
        composite = Picture(data=encode(Image.new("RGB", (1024, 576), "navy")))
        _check_shape(await _opened(await engine.blend("At dusk", composite, MemoryCall()), egress), 1024 / 576)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("verb", ["portrait", "cut_out"])
    async def test_what_is_no_picture_ends_the_task(self, engine: Engine, verb: str) -> None:
        """With a `TaskFailed`, such as `InvalidImage`: anything else would end it as `internal`."""
        with pytest.raises(TaskFailed):
            await _started(engine, verb, b"no picture", MemoryCall())

    @pytest.mark.asyncio
    async def test_a_verb_can_be_cancelled(self, engine: Engine, photo: bytes) -> None:
        """It ends as cancelled, whatever it was doing."""
        running = asyncio.ensure_future(_started(engine, "portrait", photo, MemoryCall()))
        await asyncio.sleep(0)
        if running.cancel():
            await self._ends_as_cancelled(running)

    @pytest.mark.asyncio
    async def test_many_tasks_at_once(self, engine: Engine, egress: Egress) -> None:
        """One engine serves all tasks of its process."""
        calls = [engine.background("Hills", AspectRatio.SQUARE, MemoryCall()) for _ in range(8)]
        for made in await asyncio.gather(*calls):
            await _opened(made, egress)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("verb", VERBS)
    async def test_the_event_loop_stays_free(self, engine: Engine, photo: bytes, verb: str) -> None:
        """CPU work belongs in a thread, and nothing waits for a file, a socket or a clock but by `await`."""
        await _started(engine, verb, photo, MemoryCall())  # what is loaded once, on first use, is not counted
        turns = _Turns()
        with blockbuster_ctx():
            counting = asyncio.create_task(turns.count())
            await asyncio.sleep(0)  # so that its clock runs
            await _started(engine, verb, photo, MemoryCall())
            await asyncio.sleep(0)  # so that it sees the last turn
            counting.cancel()
        assert turns.longest_s < LONGEST_TURN_S, f"the event loop was held for {turns.longest_s:.2f} s of CPU time"

    async def _ends_as_cancelled(self, running: asyncio.Future[Made]) -> None:
        async with asyncio.timeout(self.patience_s):
            with pytest.raises(asyncio.CancelledError):
                await running

    async def _soon(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(self.patience_s):
            while not is_so():  # noqa: ASYNC110 - what is awaited happens in the author's own code
                await asyncio.sleep(0.001)


class Provider(Protocol):
    """What the tests of a paid engine need of the author's stand-in for the provider."""

    busy: bool
    """While it is true, no request ends."""

    def submits(self) -> int:
        """How many submits have come in."""
        ...

    def is_cancelled(self, receipt: str) -> bool:
        """Whether the request with this receipt was cancelled."""
        ...


class PaidEngineConformance(EngineConformance):
    """For an engine that submits to a provider. The subclass gives `provider`, and in `paid` the verbs that submit."""

    paid: ClassVar[tuple[str, ...]] = VERBS

    @pytest.fixture
    def provider(self) -> Provider:
        raise NotImplementedError("give your stand-in for the provider as the fixture `provider`")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """pytest calls this as it collects: a test of a paid verb is made for each verb that submits."""
        if "verb" in metafunc.fixturenames and not metafunc.definition.get_closest_marker("parametrize"):
            metafunc.parametrize("verb", self.paid)

    @pytest.mark.asyncio
    async def test_a_receipt_is_waited_for(
        self, engine: Engine, provider: Provider, egress: Egress, photo: bytes, verb: str
    ) -> None:
        """A new attempt that finds a receipt waits for that request, and submits nothing."""
        call = MemoryCall()
        await _started(engine, verb, photo, call)
        assert call.receipt, "the first attempt goes through `call.submit`"
        later = call.next_attempt()
        await _opened(await _started(engine, verb, photo, later), egress)
        assert (later.sends, provider.submits()) == (0, 1), "the request was submitted again"

    @pytest.mark.asyncio
    async def test_an_unknown_submit_is_not_repeated(
        self, engine: Engine, provider: Provider, photo: bytes, verb: str
    ) -> None:
        """Where an earlier submit may have been sent, the task ends as `engine_outcome_unknown`."""
        with pytest.raises(EngineOutcomeUnknown):
            await _started(engine, verb, photo, MemoryCall(claimed=True))
        assert provider.submits() == 0, "a submit of unknown outcome was repeated"

    @pytest.mark.asyncio
    async def test_each_call_has_a_request_of_its_own(self, engine: Engine, provider: Provider) -> None:
        """Tasks that run at once do not share a request, nor does one submit twice."""
        calls = [MemoryCall() for _ in range(8)]
        await asyncio.gather(*(engine.background("Hills", AspectRatio.SQUARE, call) for call in calls))
        assert len({call.receipt for call in calls}) == provider.submits() == len(calls)

    @pytest.mark.asyncio
    async def test_a_submit_under_way_is_landed(
        self, engine: Engine, provider: Provider, photo: bytes, verb: str
    ) -> None:
        """Cancelled meanwhile, its receipt is on record, and then the provider's request is cancelled too."""
        provider.busy, call = True, MemoryCall(gate=asyncio.Event())
        running = asyncio.ensure_future(_started(engine, verb, photo, call))
        await self._soon(call.submitting.is_set)
        running.cancel()
        await asyncio.sleep(0)
        call.gate.set()
        await self._ends_as_cancelled(running)
        receipt = call.receipt
        assert receipt is not None, "the receipt of a submit that was sent is lost"
        await self._soon(lambda: provider.is_cancelled(receipt))
        assert provider.submits() == 1

    @pytest.mark.asyncio
    async def test_what_nobody_wants_is_cancelled_at_the_provider(
        self, engine: Engine, provider: Provider, photo: bytes, verb: str
    ) -> None:
        """A verb that is cancelled while it waits cancels its request."""
        provider.busy, call = True, MemoryCall()
        receipt = await self._cancelled_while_waiting(engine, verb, photo, call)
        await self._soon(lambda: provider.is_cancelled(receipt))

    @pytest.mark.asyncio
    async def test_what_is_still_wanted_runs_on(
        self, engine: Engine, provider: Provider, egress: Egress, photo: bytes, verb: str
    ) -> None:
        """Where only the attempt was lost, the next one gets the same request's result."""
        provider.busy, call = True, MemoryCall(wanted=True)
        receipt = await self._cancelled_while_waiting(engine, verb, photo, call)
        await self._soon(call.asked.is_set)
        provider.busy = False
        await _opened(await _started(engine, verb, photo, call.next_attempt()), egress)
        assert not provider.is_cancelled(receipt), "a request that is still wanted was cancelled"
        assert provider.submits() == 1

    async def _cancelled_while_waiting(self, engine: Engine, verb: str, photo: bytes, call: MemoryCall) -> str:
        running = asyncio.ensure_future(_started(engine, verb, photo, call))
        await self._soon(call.recorded.is_set)
        await asyncio.sleep(0)
        running.cancel()
        await self._ends_as_cancelled(running)
        assert call.receipt is not None
        return call.receipt


class _Turns:
    """The longest turn of the event loop, in seconds of CPU time: a machine that is busy otherwise does not count."""

    longest_s = 0.0

    async def count(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest_s = max(self.longest_s, now - before)
            before = now


def _started(engine: Engine, verb: str, photo: bytes, call: PaidCall) -> Awaitable[Made]:
    picture = Picture(data=photo)
    return {
        "portrait": lambda: engine.portrait("A portrait", [picture], AspectRatio.SQUARE, call),
        "background": lambda: engine.background("Hills", AspectRatio.SQUARE, call),
        "cut_out": lambda: engine.cut_out(picture, call),
        "blend": lambda: engine.blend("At dusk", picture, call),
    }[verb]()


async def _opened(made: Made, egress: Egress) -> Image.Image:
    """The picture, decoded as a stage decodes it; what is said besides is checked on the way."""
    for note in made.notes:
        assert note.strip() == note, "a note has no white space around it"
        assert note.endswith("."), "a note is a sentence"
        assert "://" not in note, "a note shows no URL"
    return decode(await made.picture.read(egress, LIMITS.bytes), LIMITS)


def _check_shape(image: Image.Image, ratio: float) -> None:
    cropped = crop_to_ratio(image, ratio)
    kept = cropped.width * cropped.height / (image.width * image.height)
    assert kept >= KEPT_BY_THE_CROP, f"{image.width} × {image.height} is far from the ratio {ratio:.2f}"
