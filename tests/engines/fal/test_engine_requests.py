"""What fal gets, whole: for each model of the table the body and the headers, written out as the model's page has them.

Written apart from the product's table and from the emulator's schemas.
"""

import json

import pytest
from PIL import Image

from deployments.engines.fal.engine import FalEngine
from deployments.engines.fal.models import MODELS
from deployments.engines.memory_call import MemoryCall
from deployments.media.images import encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.engines.fal.making import MakeEngine
from tests.fal_emulator.emulator import KEY, FalEmulator

WORDS = "in a garden"
PORTRAIT = (
    "A portrait of the person in the given photos: the same person, recognisable by face, hair and build. "
    "One person, the whole head in view, before a plain, light background.\nin a garden"
)
BACKGROUND = "A background scene with nobody in it, free of text and frames.\nin a garden"
BLEND = (
    "This picture is a person pasted on a background. Make it look like one photograph: match the person's light "
    "and colours to the scene, and add the shadows that the person casts. Keep all else exactly: the composition, "
    "the framing, and the person's face, identity, pose, clothes, position and size.\nin a garden"
)
ONE = Picture(url="https://photos.example/1.jpg")
TWO = Picture(url="https://photos.example/2.jpg")

OF_ONE: dict[str, object] = {"image_url": ONE.url}
OF_TWO: dict[str, object] = {"image_urls": [ONE.url, TWO.url]}
TALL, WIDE = {"aspect_ratio": "9:16"}, {"aspect_ratio": "16:9"}
TALL_SIZE, WIDE_SIZE = {"image_size": "portrait_16_9"}, {"image_size": "landscape_16_9"}

EDITORS: dict[str, dict[str, object]] = {
    "fal-ai/nano-banana-2/edit": {**OF_TWO, **TALL, "resolution": "1K"},
    "fal-ai/nano-banana-pro/edit": {**OF_TWO, **TALL, "resolution": "1K"},
    "fal-ai/flux-pro/kontext/multi": {**OF_TWO, **TALL, "output_format": "png"},
    "fal-ai/bytedance/seedream/v4/edit": {**OF_TWO, **TALL_SIZE},
    "fal-ai/flux-2/edit": {**OF_TWO, **TALL_SIZE},
    "fal-ai/flux-pro/kontext": {**OF_ONE, **TALL, "output_format": "png"},
    "fal-ai/flux-pulid": {"reference_image_url": ONE.url, **TALL_SIZE},
    "fal-ai/instant-character": {**OF_ONE, **TALL_SIZE},
    "fal-ai/minimax/image-01/subject-reference": {**OF_ONE, **TALL},
    "fal-ai/iclight-v2": {**OF_ONE, **TALL_SIZE},
    "fal-ai/flux/dev/image-to-image": {**OF_ONE, "strength": 0.3},
}
PAINTERS: dict[str, dict[str, object]] = {
    "fal-ai/nano-banana-2": {**TALL, "resolution": "1K"},
    "fal-ai/flux/schnell": {**TALL_SIZE, "output_format": "png"},
    "fal-ai/flux/dev": {**TALL_SIZE, "output_format": "png"},
}
REMOVERS: dict[str, dict[str, object]] = {
    "fal-ai/birefnet/v2": {**OF_ONE, "model": "Portrait"},
    "fal-ai/bria/background/remove": OF_ONE,
    "fal-ai/imageutils/rembg": OF_ONE,
}


def test_no_model_of_the_table_is_left_out() -> None:
    """A model that is added to the table is added here too."""
    assert MODELS.keys() == EDITORS.keys() | PAINTERS.keys() | REMOVERS.keys()


def assert_sent(fal: FalEmulator, endpoint: str, arguments: dict[str, object]) -> None:
    (request,) = fal.requests.values()
    assert (request.endpoint, request.arguments) == (endpoint, arguments)
    headers = request.headers
    assert headers["authorization"] == f"Key {KEY}"
    assert headers["content-type"] == "application/json"
    assert {name: headers[name] for name in headers if name.startswith("x-")} == {
        "x-fal-store-io": "0",
        "x-fal-object-lifecycle-preference": json.dumps({"expiration_duration_seconds": 3600}),
    }


@pytest.mark.parametrize("endpoint", EDITORS)
async def test_a_portrait(endpoint: str, fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Words, photos (as many as it takes) and shape, each in the model's own field, and nothing else."""
    engine = make_engine(models={"portrait": endpoint})
    await engine.portrait(WORDS, [ONE, TWO], AspectRatio.TALL, MemoryCall())
    assert_sent(fal, endpoint, {"prompt": PORTRAIT, **EDITORS[endpoint]})


@pytest.mark.parametrize("endpoint", EDITORS)
async def test_a_blend(endpoint: str, fal: FalEmulator, make_engine: MakeEngine) -> None:
    """The composite alone, and its shape."""
    engine: FalEngine = make_engine(models={"blend": endpoint})
    plate = Picture(data=encode(Image.new("RGB", (1024, 576), "navy")))
    await engine.blend(WORDS, plate, MemoryCall())
    expected = {"prompt": BLEND, **EDITORS[endpoint]}
    (request,) = fal.requests.values()
    for field in ("image_url", "reference_image_url", "image_urls"):
        if field in expected:
            sent = request.arguments[field]
            assert (sent[0] if isinstance(sent, list) else sent).startswith("data:image/jpeg;base64,")
            expected[field] = [sent[0]] if isinstance(sent, list) else sent
    expected |= {name: shape[name] for shape in (WIDE, WIDE_SIZE) for name in shape if name in expected}
    assert_sent(fal, endpoint, expected)


@pytest.mark.parametrize("endpoint", PAINTERS)
async def test_a_background(endpoint: str, fal: FalEmulator, make_engine: MakeEngine) -> None:
    """Words and shape."""
    await make_engine(models={"background": endpoint}).background(WORDS, AspectRatio.TALL, MemoryCall())
    assert_sent(fal, endpoint, {"prompt": BACKGROUND, **PAINTERS[endpoint]})


@pytest.mark.parametrize("endpoint", REMOVERS)
async def test_a_cut_out(endpoint: str, fal: FalEmulator, make_engine: MakeEngine) -> None:
    """The picture, and no words."""
    await make_engine(models={"cut_out": endpoint}).cut_out(ONE, MemoryCall())
    assert_sent(fal, endpoint, REMOVERS[endpoint])
