"""The promises of deployments.engines.openai.engine, kept towards the emulator."""

import asyncio

import pytest
from PIL import Image

from deployments.engines.base import Cost, Engine, EngineContext, Verb, source_of
from deployments.engines.loading import engine_class
from deployments.engines.memory_call import MemoryCall
from deployments.engines.openai.engine import OpenAIEngine
from deployments.engines.openai.models import MODELS
from deployments.errors import EngineError, SettingsError
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, decode, encode
from deployments.media.picture import Picture
from deployments.media.provenance.sources import DigitalSource
from deployments.media.results import blended_result, cut_out_result, opaque_result
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.settings import Environment
from tests.engines.openai.making import FREE, MakeEngine
from tests.fal_emulator.http import Answer
from tests.fal_emulator.models import marked
from tests.openai_emulator.emulator import KEY, Call, OpenAIEmulator

LIMITS = PictureLimits()
WORDS = 'as an astronaut, {"quoted"}: 宇航员'
PHOTO = Picture(data=encode(Image.new("RGB", (300, 200), "red")))
PLATE = Picture(data=encode(Image.new("RGB", (1024, 576), "navy")))
CUTTERS = [name for name, model in MODELS.items() if model.transparent]


def only_call(server: OpenAIEmulator) -> Call:
    assert server.posts == 1
    (call,) = server.calls
    return call


def bytes_of(picture: Picture) -> bytes:
    assert picture.data is not None
    return picture.data


def test_it_is_an_engine(engine: OpenAIEngine) -> None:
    """The name `openai` leads to it, and it has all that an engine has."""
    assert issubclass(engine_class("openai"), OpenAIEngine)
    assert isinstance(engine, Engine)


async def test_a_portrait_is_an_edit_of_the_photos(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """The words, the photos in their order, the size, and nothing else; what it gives is here at once."""
    made = await engine.portrait(WORDS, [PHOTO, PLATE], AspectRatio.PORTRAIT, MemoryCall())
    call = only_call(server)
    assert call.route == "images/edits"
    assert str(call.fields["prompt"]).endswith(WORDS)
    assert call.fields == {"model": "gpt-image-2", "prompt": call.fields["prompt"], "n": "1", "size": "768x1024"}
    assert [name for name, _ in call.pictures] == ["image[]", "image[]"]
    assert [decode(data, LIMITS).size for _, data in call.pictures] == [(300, 200), (1024, 576)]
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert made.cost == Cost("gpt-image-2", 1100)
    assert bytes_of(made.picture) == marked(str(call.fields["prompt"]), (48, 64))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("ratio", AspectRatio)
async def test_a_background_in_every_shape(
    name: str, ratio: AspectRatio, server: OpenAIEmulator, make_engine: MakeEngine
) -> None:
    """Of each model: the size that it takes, cropped to what was asked."""
    made = await make_engine(models={"background": name}).background(WORDS, ratio, MemoryCall())
    call = only_call(server)
    assert call.route == "images/generations"
    assert call.fields.keys() == {"model", "prompt", "n", "size"}
    image = decode(opaque_result(bytes_of(made.picture), ratio, LIMITS), LIMITS)
    assert image.width / image.height == pytest.approx(ratio.quotient, rel=0.04)  # the emulator's are small


@pytest.mark.parametrize("name", MODELS)
async def test_a_blend(name: str, server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """The composite is edited, and brought to its own pixels again."""
    made = await make_engine(models={"blend": name}).blend(WORDS, PLATE, MemoryCall())
    assert len(only_call(server).pictures) == 1
    size = CanvasSize.LANDSCAPE_16_9.pixels
    assert decode(blended_result(bytes_of(made.picture), size, LIMITS), LIMITS).size == size


@pytest.mark.parametrize("name", CUTTERS)
async def test_a_cut_out(name: str, server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """An edit with a transparent background, in the size of what was cut."""
    made = await make_engine(models={"cut_out": name}).cut_out(PHOTO, MemoryCall())
    assert only_call(server).fields["background"] == "transparent"
    assert decode(cut_out_result(bytes_of(made.picture), None, LIMITS), LIMITS).size == (300, 200)


async def test_what_is_transparent_stays(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """A picture that is cut out already costs nothing, and comes back as it is."""
    picture = Picture(data=encode(Image.new("RGBA", (8, 8), (255, 0, 0, 100))))
    made = await engine.cut_out(picture, MemoryCall())
    assert (made.picture, made.cost, server.posts) == (picture, None, 0)


async def test_photos_beyond_what_the_model_takes(server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """The first ones are used, and the caller is told; the field is the model's own."""
    server.strict = False
    model = {"model": "mine", "images": "one", "image_field": "image", "sizes": "none", "parameters": {"steps": 4}}
    engine = make_engine(models={"portrait": model})
    made = await engine.portrait(WORDS, [PHOTO, PLATE], AspectRatio.SQUARE, MemoryCall())
    assert made.notes == ("Of the photos, the model took the first 1 only.",)
    call = only_call(server)
    assert [name for name, _ in call.pictures] == ["image"]
    assert call.fields.keys() == {"model", "prompt", "n", "steps"}
    assert call.fields["steps"] == "4"


async def test_a_server_of_ones_own(
    server: OpenAIEmulator, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs no key, takes any model and any size, charges nothing, and has no need of a record."""
    monkeypatch.delenv("OPENAI_API_KEY")
    server.strict = False
    call = MemoryCall()
    made = await make_engine(**FREE).background(WORDS, AspectRatio.WIDE, call)
    assert only_call(server).fields["size"] == "1024x576"
    assert "authorization" not in only_call(server).headers
    assert (made.cost, made.by_model, call.claimed) == (None, "my-model", False)


async def test_a_url_without_a_host_is_the_servers_own(server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """It needs no hole in the guard: the server is the operator's choice."""
    server.strict, server.as_url = False, ""
    made = await make_engine(**FREE).background(WORDS, AspectRatio.SQUARE, MemoryCall())
    assert bytes_of(made.picture) == server.files["/files/1.png"]


async def test_any_other_url_obeys_the_guard(
    server: OpenAIEmulator, make_engine: MakeEngine, egress: Egress, base_url: str
) -> None:
    """Even one on the server itself, which could be anything on this network."""
    server.strict, server.as_url = False, base_url.removesuffix("/v1")
    made = await make_engine(**FREE).background(WORDS, AspectRatio.SQUARE, MemoryCall())
    assert made.picture.url == f"{base_url.removesuffix('/v1')}/files/1.png"
    with pytest.raises(EngineError, match="could not be loaded"):
        await made.picture.read(egress, LIMITS.bytes)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html,x", "ftp://x/y", "//[", "", "http://"])
async def test_what_is_no_url_of_a_picture(url: str, server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """The operator is told which setting to check."""
    server.outcome = Answer(200, {"data": [{"url": url}]})
    with pytest.raises(EngineError, match=r"engine_options\.models\.background"):
        await make_engine().background(WORDS, AspectRatio.SQUARE, MemoryCall())


async def test_a_relative_url_that_leads_nowhere(server: OpenAIEmulator, make_engine: MakeEngine) -> None:
    """The message names no host."""
    server.outcome = Answer(200, {"data": [{"url": "/files/gone.png"}]})
    with pytest.raises(EngineError, match="could not be loaded") as caught:
        await make_engine().background(WORDS, AspectRatio.SQUARE, MemoryCall())
    assert "127.0.0.1" not in str(caught.value)


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the variable, and never its value."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        OpenAIEngine(EngineContext(Egress(), LIMITS, Environment()))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-söcret")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY") as caught:
        OpenAIEngine(EngineContext(Egress(), LIMITS, Environment()))
    assert "söcret" not in str(caught.value)


async def test_many_at_once(server: OpenAIEmulator, engine: OpenAIEngine) -> None:
    """One engine serves many tasks at once, each with a call of its own."""
    made = await asyncio.gather(
        *(engine.background(f"{number}", AspectRatio.SQUARE, MemoryCall()) for number in range(30))
    )
    assert len({bytes_of(one.picture) for one in made}) == len(server.calls) == 30


def test_all_its_pictures_are_a_generative_model_s(engine: OpenAIEngine) -> None:
    """Cut-outs too: the model paints the person again."""
    assert {source_of(engine, verb) for verb in Verb} == {DigitalSource.TRAINED}
