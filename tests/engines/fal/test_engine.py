"""The promises of deployments.engines.fal.engine, kept towards the emulator."""

import asyncio
import json

import pytest
from PIL import Image

from deployments.engines.base import Cost, Engine, EngineContext
from deployments.engines.fal.engine import FalEngine
from deployments.engines.fal.models import MODELS
from deployments.engines.loading import engine_class
from deployments.engines.memory_call import MemoryCall
from deployments.errors import SettingsError
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, decode, encode
from deployments.media.picture import Picture
from deployments.media.results import blended_result, cut_out_result, opaque_result
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.settings import Environment
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import KEY, FalEmulator, Request, answers
from tests.fal_emulator.models import pictures_in

LIMITS = PictureLimits()
WORDS = 'as an astronaut, {"quoted"}'
PHOTO = Picture(url="https://photos.example/me.jpg")
PLATE = Picture(data=encode(Image.new("RGB", (1024, 576), "navy")))

PORTRAIT_MODELS = [name for name, model in MODELS.items() if model.images != "none" and model.output != "image.url"]
BACKGROUND_MODELS = [name for name, model in MODELS.items() if model.images == "none"]
CUT_OUT_MODELS = [name for name, model in MODELS.items() if model.output == "image.url"]


def only_request(fal: FalEmulator) -> Request:
    assert fal.posts == 1
    (request,) = fal.requests.values()
    return request


async def fetched(picture: Picture, egress: Egress) -> bytes:
    assert picture.url is not None
    return await picture.read(egress, LIMITS.bytes)


def test_it_is_an_engine(engine: FalEngine) -> None:
    """The name `fal` leads to it, and it has all that an engine has."""
    assert issubclass(engine_class("fal"), FalEngine)
    assert isinstance(engine, Engine)


@pytest.mark.parametrize("endpoint", PORTRAIT_MODELS)
async def test_portrait(endpoint: str, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """Every picture model of the table makes a portrait in the asked shape, from the photos and the caller's words."""
    engine = make_engine(models={"portrait": endpoint})
    made = await engine.portrait(WORDS, [PHOTO, PHOTO], AspectRatio.TALL, MemoryCall())
    request = only_request(fal)
    assert request.endpoint == endpoint
    assert set(pictures_in(endpoint, request.arguments)) == {PHOTO.url}
    assert WORDS in request.arguments["prompt"]
    shape = {"aspect_ratio": "9:16", "image_size": "portrait_16_9"}
    assert {name: request.arguments[name] for name in shape if name in request.arguments}.items() <= shape.items()
    decode(opaque_result(await fetched(made.picture, egress), AspectRatio.TALL, LIMITS), LIMITS)
    assert made.cost == Cost(endpoint, 1.5)


@pytest.mark.parametrize("endpoint", BACKGROUND_MODELS)
@pytest.mark.parametrize("ratio", AspectRatio)
async def test_background(
    endpoint: str, ratio: AspectRatio, fal: FalEmulator, make_engine: MakeEngine, egress: Egress
) -> None:
    """Every text model of the table makes a background in every shape."""
    made = await make_engine(models={"background": endpoint}).background(WORDS, ratio, MemoryCall())
    request = only_request(fal)
    assert WORDS in request.arguments["prompt"]
    assert "image_size" in request.arguments or request.arguments["aspect_ratio"] == ratio.value
    picture = await fetched(made.picture, egress)
    assert opaque_result(picture, ratio, LIMITS) == picture


@pytest.mark.parametrize("endpoint", CUT_OUT_MODELS)
async def test_cut_out(endpoint: str, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """Every remover of the table cuts a person out, in the picture's own size, however large."""
    photo = Picture(data=encode(Image.new("RGB", (2400, 50), "red")))
    made = await make_engine(models={"cut_out": endpoint}).cut_out(photo, MemoryCall())
    assert "prompt" not in only_request(fal).arguments
    picture = decode(cut_out_result(await fetched(made.picture, egress), None, LIMITS), LIMITS)
    assert picture.size == (2400, 50)


@pytest.mark.parametrize("endpoint", PORTRAIT_MODELS)
async def test_blend(endpoint: str, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """Every picture model of the table takes a composite, told its shape; the result is brought to its pixels."""
    made = await make_engine(models={"blend": endpoint}).blend(WORDS, PLATE, MemoryCall())
    request = only_request(fal)
    assert request.arguments.get("aspect_ratio", "16:9") == "16:9"
    assert request.arguments.get("image_size", "landscape_16_9") == "landscape_16_9"
    size = CanvasSize.LANDSCAPE_16_9.pixels
    assert decode(blended_result(await fetched(made.picture, egress), size, LIMITS), LIMITS).size == size


async def test_what_is_transparent_stays(fal: FalEmulator, engine: FalEngine) -> None:
    """A picture that is cut out already costs nothing, and comes back as it is."""
    picture = Picture(data=encode(Image.new("RGBA", (8, 8), (255, 0, 0, 100))))
    made = await engine.cut_out(picture, MemoryCall())
    assert (made.picture, made.cost, fal.posts) == (picture, None, 0)


async def test_any_other_model_by_its_fields(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """A model that is not in the table needs no code."""
    model = {
        "endpoint": "fal-ai/flux/schnell",
        "images": "none",
        "size": "image_size",
        "parameters": {"num_inference_steps": 4},
    }
    await make_engine(models={"background": model}).background(WORDS, AspectRatio.SQUARE, MemoryCall())
    assert only_request(fal).arguments["num_inference_steps"] == 4


async def test_more_photos_than_the_model_takes(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """A model gets as many photos as it takes, and the caller is told."""
    engine = make_engine(models={"portrait": "fal-ai/flux-2/edit"})
    made = await engine.portrait(WORDS, [PHOTO] * 5, AspectRatio.SQUARE, MemoryCall())
    assert len(only_request(fal).arguments["image_urls"]) == 4
    assert made.notes == ("Of the photos, the model took the first 4 only.",)


async def test_photos_of_people_are_not_kept(fal: FalEmulator, engine: FalEngine, make_engine: MakeEngine) -> None:
    """By default fal is told to store no inputs or outputs, and to delete files after an hour; both can be set."""
    await engine.background(WORDS, AspectRatio.SQUARE, MemoryCall())
    headers = only_request(fal).headers
    assert headers["x-fal-store-io"] == "0"
    assert json.loads(headers["x-fal-object-lifecycle-preference"]) == {"expiration_duration_seconds": 3600}
    fal.requests.clear()
    keeping = make_engine(store_io=True, keep_files_s=None)
    await keeping.background(WORDS, AspectRatio.SQUARE, MemoryCall())
    (request,) = fal.requests.values()
    assert not {"x-fal-store-io", "x-fal-object-lifecycle-preference"} & request.headers.keys()


async def test_progress_is_reported(fal: FalEmulator, engine: FalEngine) -> None:
    """fal's queue position and its model's log lines reach the task, without URLs."""
    call = MemoryCall()
    fal.script("status", answers(202, {"status": "IN_QUEUE", "queue_position": 2}))
    line = {"message": "step 3 of 4, see https://internal.fal/run"}
    fal.script("status", answers(202, {"status": "IN_PROGRESS", "logs": [{"message": "step 2"}, line]}))
    fal.script("status", answers(202, {"status": "IN_PROGRESS", "logs": None}))
    await engine.background(WORDS, AspectRatio.SQUARE, call)
    assert call.progress == [
        "Number 3 in fal.ai's queue.",
        "The image model is at work: step 3 of 4, see.",
        "The image model is at work.",
    ]


def test_blend_can_be_turned_off(make_engine: MakeEngine) -> None:
    """`blend: false` leaves the exact composite as it is."""
    assert (make_engine().blends, make_engine(blend=False).blends) == (True, False)


@pytest.mark.parametrize("key", [None, "", " ", "two words", "line\nbreak", "clé"])
def test_no_key_no_engine(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a proper key the engine does not start, and says which variable to set, but never to what."""
    monkeypatch.delenv("FAL_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("FAL_KEY", key)
    with pytest.raises(SettingsError, match="FAL_KEY") as caught:
        FalEngine(EngineContext(Egress(), LIMITS, Environment()))
    assert not key or key.isspace() or key not in str(caught.value)


async def test_a_key_from_a_file(fal: FalEmulator, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line break that editors and secret stores leave at the end of a key is no part of it."""
    monkeypatch.setenv("FAL_KEY", f"{KEY}\n")
    await make_engine().background(WORDS, AspectRatio.SQUARE, MemoryCall())
    assert fal.posts == 1


async def test_many_at_once(fal: FalEmulator, engine: FalEngine) -> None:
    """One engine serves many tasks at once, each with a request of its own."""
    calls = [MemoryCall() for _ in range(30)]
    await asyncio.gather(*(engine.background(WORDS, AspectRatio.SQUARE, call) for call in calls))
    assert len({call.receipt for call in calls}) == len(fal.requests) == 30
