"""The promises of deployments.engines.fal.inputs: what reaches fal of a picture, and by which way."""

import base64
import io
import json

import pytest
from PIL import Image

from deployments.engines.base import EngineContext
from deployments.engines.fal.engine import PHOTO_SIDE, FalEngine
from deployments.engines.fal.inputs import INLINE_BYTES, is_public
from deployments.engines.memory_call import MemoryCall
from deployments.errors import EngineError, FetchFailed, InvalidImage
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, encode
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment
from tests.engines.fal.making import MakeEngine
from tests.engines.fal.photos import noise
from tests.fal_emulator.emulator import FalEmulator, answers, drops, goes_well

GPS = 0x8825
ORIENTATION = 0x0112


def phone_photo() -> bytes:
    """As phones take them: large, on its side, and with the place where it was taken."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (4000, 3000), "peru").save(out, "JPEG", exif=exif)
    return out.getvalue()


def sent(fal: FalEmulator) -> list[str]:
    (request,) = fal.requests.values()
    urls: list[str] = request.arguments["image_urls"]
    return urls


def opened(url: str) -> Image.Image:
    assert url.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


async def portrait(engine: FalEngine, *photos: Picture) -> None:
    await engine.portrait("me", photos, AspectRatio.SQUARE, MemoryCall())


async def test_public_urls_go_through(fal: FalEmulator, engine: FalEngine) -> None:
    """A public https URL is fal's to open: its bytes never pass through us."""
    url = "https://bucket.s3.amazonaws.com/me.jpg?X-Amz-Signature=abc"
    await portrait(engine, Picture(url=url))
    assert sent(fal) == [url]
    assert all(asked.path != "/me.jpg" for asked in fal.asked)


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example/me.jpg",
        "https://127.0.0.1/me.jpg",
        "https://minio.corp.example:9000/me.jpg",
        "https://MINIO.corp.example:9000/me.jpg",
        "https://aige.example/api/v1/storage/objects/a1?expires=1&signature=2",
        "https://me:secret@photos.example/me.jpg",
        "https://photos.internal/me.jpg",
    ],
)
def test_what_is_not_public(url: str) -> None:
    """Plain http, what only this network reaches, and our own store's objects are no URLs for fal."""
    assert not is_public(url, frozenset({("minio.corp.example", 9000)}))


async def test_inner_urls_are_fetched(
    fal: FalEmulator, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only this network reaches is fetched here, and sent as data."""
    monkeypatch.setenv("AIGE_ALLOW_HOSTS", "v3.fal.media:443")
    fal.files["me.png"] = encode(Image.new("RGB", (64, 32), "red"))
    await portrait(make_engine(), Picture(url="https://v3.fal.media/files/me.png"))
    (url,) = sent(fal)
    assert opened(url).size == (64, 32)


async def test_forbidden_urls_are_not_fetched(fal: FalEmulator, engine: FalEngine) -> None:
    """What is fetched for fal is fetched through the guard."""
    with pytest.raises(FetchFailed, match="leads to no public internet host"):
        await portrait(engine, Picture(url="http://169.254.169.254/latest/meta-data"))
    assert fal.posts == 0


async def test_photos_are_made_ready(fal: FalEmulator, engine: FalEngine) -> None:
    """An inline photo is sent upright, no larger than models look at, and without its metadata."""
    await portrait(engine, Picture(data=phone_photo()))
    image = opened(sent(fal)[0])
    assert image.size == (1536, PHOTO_SIDE)
    assert not image.getexif()


async def test_transparency_is_kept(fal: FalEmulator, engine: FalEngine) -> None:
    """A photo with transparency stays one."""
    await portrait(engine, Picture(data=encode(Image.new("RGBA", (8, 8), (255, 0, 0, 0)))))
    assert opened(sent(fal)[0]).mode == "RGBA"


async def test_broken_photos_are_refused(fal: FalEmulator, engine: FalEngine) -> None:
    """What is no picture is not paid for."""
    with pytest.raises(InvalidImage, match="The picture is damaged and cannot be read"):
        await portrait(engine, Picture(data=b"\x89PNG\r\n\x1a\n and no more"))
    assert fal.posts == 0


async def test_large_photos_go_through_storage(fal: FalEmulator, engine: FalEngine) -> None:
    """What is too large for a data URI is stored at fal, to be deleted there after an hour."""
    await portrait(engine, Picture(data=encode(noise((1800, 1800)))))
    (uploaded,) = fal.uploads
    assert sent(fal) == ["https://v3.fal.media/files/uploaded-1"]
    assert len(uploaded.body) > INLINE_BYTES * 3 // 4
    assert json.loads(uploaded.headers["x-fal-object-lifecycle"]) == {"expiration_duration_seconds": 3600}
    assert uploaded.headers["content-type"] == "image/jpeg"


async def test_many_photos_share_the_room(fal: FalEmulator, engine: FalEngine) -> None:
    """One request holds no more inline data than that, however many photos it has."""
    photo = Picture(data=encode(noise((1000, 1000))))
    await portrait(engine, *[photo] * 3)
    assert sum(len(url) for url in sent(fal)) < INLINE_BYTES
    assert len(fal.uploads) == 3


async def test_files_may_be_kept(fal: FalEmulator, make_engine: MakeEngine) -> None:
    """`keep_files_s: null` leaves files to fal."""
    await portrait(make_engine(keep_files_s=None), Picture(data=encode(noise((1800, 1800)))))
    assert "x-fal-object-lifecycle" not in fal.uploads[0].headers


async def test_uploads_may_be_repeated(fal: FalEmulator, engine: FalEngine) -> None:
    """Storing costs nothing, so fal-client's own retries are welcome there."""
    fal.script("upload", goes_well, drops)  # the token is had, the file is not
    await portrait(engine, Picture(data=encode(noise((1800, 1800)))))
    assert len(fal.uploads) == 1


async def test_storage_that_does_not_work(fal: FalEmulator, engine: FalEngine) -> None:
    """Where fal stores nothing, the task fails before anything is paid for."""
    fal.script("upload", *[answers(403, {"detail": "no"})] * 4)
    with pytest.raises(EngineError, match="could not be handed to fal"):
        await portrait(engine, Picture(data=encode(noise((1800, 1800)))))
    assert fal.posts == 0


async def test_uploads_obey_the_limits(fal: FalEmulator, egress: Egress, make_engine: MakeEngine) -> None:
    """A photo beyond the service's own limits is refused before it is decoded."""
    make_engine()
    engine = FalEngine(EngineContext(egress, PictureLimits(pixels=100), Environment()))
    with pytest.raises(InvalidImage, match="more than 100 pixels"):
        await portrait(engine, Picture(data=encode(Image.new("RGB", (11, 10)))))
    assert fal.posts == 0
