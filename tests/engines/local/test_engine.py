"""The local engine as a whole, through the protocol's four verbs."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from deployments.engines.base import Engine, EngineContext, Made, Verb, source_of
from deployments.engines.local.engine import LocalEngine
from deployments.errors import InvalidImage, NoPersonFound
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.provenance.sources import DigitalSource
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment
from tests.engines.fakes import Fake, fake
from tests.engines.local.photos import DATA

ASTRONAUT = Picture((DATA / "astronaut.jpg").read_bytes())


class OnePage(Egress):
    """An egress behind which lies one picture."""

    def __init__(self, url: str, body: bytes) -> None:
        self._page = {url: body}

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        body = self._page[url]
        assert len(body) <= max_bytes
        return body


class Unpaid:
    """A paid call that must not be made."""

    receipt: str | None = None
    key = ""
    claimed_at: datetime | None = None

    async def submit(self, send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        raise AssertionError(send, model)

    async def made_nothing(self, units: float, model: str = "") -> None:
        raise AssertionError(units, model)

    async def found(self, receipt: str) -> None:
        raise AssertionError(receipt)

    def report(self, progress: str) -> None:
        raise AssertionError(progress)

    async def is_wanted(self) -> bool:
        raise AssertionError


def picture(image: Image.Image) -> Picture:
    out = io.BytesIO()
    image.save(out, "PNG")
    return Picture(out.getvalue())


def opened(made: Picture) -> Image.Image:
    assert made.data is not None
    return Image.open(io.BytesIO(made.data))


FREE = Unpaid()
EMPTY = picture(Image.new("RGB", (200, 200), "teal"))


@pytest.fixture
def engine() -> LocalEngine:
    egress = OnePage("https://example.com/me.jpg", (DATA / "astronaut.jpg").read_bytes())
    return LocalEngine(EngineContext(egress, PictureLimits(), Environment()))


def test_it_is_an_engine(engine: LocalEngine) -> None:
    """It keeps the protocol, and says that no generative model is at work."""
    assert isinstance(engine, Engine)
    assert (engine.name, engine.generative, engine.blends) == ("local", False, False)


async def test_a_portrait_is_a_cut_out_that_stays_as_it_is(engine: LocalEngine) -> None:
    """What `portrait` makes has transparency already, so `cut_out` hands back the very same picture."""
    made = await engine.portrait("a cartoon", [ASTRONAUT], AspectRatio.PORTRAIT, FREE)
    image = opened(made.picture)
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (768, 1024))
    assert made.notes == (
        "Made by the embedded local engine, which is not a generative model: it draws your photo in a cartoon style.",
    )
    cut = await engine.cut_out(made.picture, FREE)
    assert cut.picture is made.picture
    assert cut.notes == ()


async def test_words_without_effect_are_listed(engine: LocalEngine) -> None:
    """Whoever asks for a dragon learns that none was drawn."""
    made = await engine.portrait("A realistic photo of me riding a dragon", [ASTRONAUT], AspectRatio.SQUARE, FREE)
    assert made.notes == (
        "Made by the embedded local engine, which is not a generative model: it draws your photo as a polished photo.",
        "These words of the prompt were not understood and had no effect: riding, dragon.",
    )


async def test_a_long_list_of_words_is_cut(engine: LocalEngine) -> None:
    """A prompt of thousands of letters does not come back as a note of the same length."""
    prompt = " ".join(f"gibberish{number}" for number in range(300)) + " x" + "y" * 1000
    made = await engine.portrait(f"photo {prompt}", [ASTRONAUT], AspectRatio.WIDE, FREE)
    assert len(made.notes[-1]) < 400
    assert made.notes[-1].endswith(" and 289 more.")


async def test_the_first_photo_with_a_person_is_used(engine: LocalEngine) -> None:
    """Photos without a person are passed over, URLs are fetched, and the notes say which photo it was."""
    photos = [EMPTY, Picture(url="https://example.com/me.jpg"), EMPTY]
    made = await engine.portrait("photo", photos, AspectRatio.WIDE, FREE)
    alone = await engine.portrait("photo", [ASTRONAUT], AspectRatio.WIDE, FREE)
    assert made.picture == alone.picture
    assert "Only photo 2 of 3 was used: this engine draws from one photo." in made.notes


async def test_photos_without_a_person_fail(engine: LocalEngine) -> None:
    """The failure says what to send instead."""
    with pytest.raises(NoPersonFound, match="face"):
        await engine.portrait("cartoon", [EMPTY, EMPTY], AspectRatio.SQUARE, FREE)
    with pytest.raises(NoPersonFound, match="face"):
        await engine.cut_out(EMPTY, FREE)


async def test_what_is_no_picture_fails(engine: LocalEngine) -> None:
    """Bytes that do not decode end as `invalid_image`."""
    with pytest.raises(InvalidImage, match="The picture is not a PNG, JPEG or WebP file"):
        await engine.portrait("cartoon", [Picture(b"no picture")], AspectRatio.SQUARE, FREE)


async def test_an_opaque_picture_is_cut_out(engine: LocalEngine) -> None:
    """Same size, transparent around the person, and a note by whom."""
    made = await engine.cut_out(ASTRONAUT, FREE)
    image = opened(made.picture)
    assert image.size == (512, 512)
    assert image.getpixel((500, 10)) == (0, 0, 0, 0)
    assert np.asarray(image)[125, 225, 3] == 255
    assert made.notes == ("The person was cut out by the embedded local engine, which is not a generative model.",)


async def test_transparent_pixels_of_a_photo_hide_nobody(engine: LocalEngine) -> None:
    """A person who stands only under fully transparent pixels is not found, and so not shown."""
    hidden = Image.open(DATA / "astronaut.jpg").convert("RGBA")
    hidden.putalpha(0)
    with pytest.raises(NoPersonFound, match="No person was found in the photos"):
        await engine.portrait("cartoon", [picture(hidden)], AspectRatio.SQUARE, FREE)


async def test_a_background_is_opaque_and_exact(engine: LocalEngine) -> None:
    """Scenery comes as an opaque PNG in the ratio's pixels, with the painter's notes."""
    made = await engine.background("mountains at sunset", AspectRatio.TALL, FREE)
    image = opened(made.picture)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (576, 1024))
    assert "not a generative model" in made.notes[0]


async def test_blending_changes_nothing(engine: LocalEngine) -> None:
    """The exact composite comes back."""
    assert (await engine.blend("softly", ASTRONAUT, FREE)).picture is ASTRONAUT


async def test_the_event_loop_stays_free(engine: LocalEngine) -> None:
    """While pixels are made, other tasks run on; verbs may overlap and do not disturb each other."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    cuts = await asyncio.gather(*(engine.cut_out(ASTRONAUT, FREE) for _ in range(3)))
    beside.cancel()
    assert turns > 100
    assert len({cut.picture.data for cut in cuts}) == 1


async def _nothing(*_: object) -> Made:
    raise AssertionError("nobody asks it")


class Careful(Fake):
    """An engine of somebody's own, which says what its pictures are."""

    name = "careful"
    generative = False

    def digital_source(self, verb: Verb) -> DigitalSource | None:
        return DigitalSource.COMPOSITE if verb is Verb.PORTRAIT else None


def test_of_which_kind_its_pictures_are(engine: LocalEngine) -> None:
    """Of a photo, a portrait; of nothing, a scene. A cut-out takes away only."""
    assert {verb: source_of(engine, verb) for verb in Verb} == {
        Verb.PORTRAIT: DigitalSource.ALGORITHMICALLY_ENHANCED,
        Verb.BACKGROUND: DigitalSource.ALGORITHMIC_MEDIA,
        Verb.CUT_OUT: None,
        Verb.BLEND: None,
    }


def test_of_which_kind_a_generative_model_s_pictures_are() -> None:
    """All but cut-outs, unless the engine says otherwise."""
    generative = fake("generative", _nothing)
    trained = DigitalSource.TRAINED
    assert [source_of(generative, verb) for verb in Verb] == [trained, trained, None, trained]


def test_an_engine_of_ones_own_may_say_of_which_kind_its_pictures_are() -> None:
    """Then nothing is guessed."""
    assert [source_of(Careful(_nothing), verb) for verb in Verb] == [DigitalSource.COMPOSITE, None, None, None]
