"""What the settings, the URLs and the photos of a request must be, besides its schema."""

import base64
import io
import struct
import zlib

import httpx
import pytest
from PIL import Image

from tests.api.in_process import InProcess
from tests.api.requests import BAD_URLS, PNG, REFUSED, ROUTES, params, refused_field, send


@pytest.mark.parametrize("photo", [PNG, f"data:image/png;base64,{PNG}", f"DATA:image/jpeg;base64,{PNG}"])
async def test_photos_may_be_data_uris_or_bare_base64(client: httpx.AsyncClient, photo: str) -> None:
    """What counts is the picture's first bytes, whatever the URI calls it."""
    assert (await send(client, "avatar", source_images=[photo])).status_code == 201


NO_PHOTOS = [
    *["", "!!!!", "AAA", PNG[:-1] + "*", "data:image/png;base64,", f"data:text/html;base64,{PNG}"],
    *[base64.b64encode(bad).decode() for bad in (b"GIF89a....", b"<svg/>", b"<html>", b"BM......", b"%PDF-1.7")],
    *[url for url in BAD_URLS if url.startswith("http")],
]


@REFUSED
@pytest.mark.parametrize("photo", NO_PHOTOS)
async def test_what_is_no_photo_is_a_400_that_names_it(
    shared_client: httpx.AsyncClient, shared_backend: InProcess, photo: str
) -> None:
    """Neither a picture in one of the three formats, nor a URL that may be opened; nothing is started."""
    place = await refused_field(shared_client, "avatar", {"source_images": [PNG, photo]})
    assert (place, shared_backend.works) == (["body", "source_images", 1], [])


@REFUSED
@pytest.mark.parametrize("url", BAD_URLS)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_url_that_must_not_be_opened_is_a_400_that_names_it(
    shared_client: httpx.AsyncClient, shared_backend: InProcess, route: str, url: str
) -> None:
    """As it is written: nothing is looked up, and nothing is started."""
    for field in ("writeUrl", "readUrl"):
        assert await refused_field(shared_client, route, {field: url}) == ["body", field]
    assert shared_backend.works == []


@REFUSED
@pytest.mark.parametrize("url", [*BAD_URLS, f"data:,{PNG}"])
@pytest.mark.parametrize("field", ["person", "background"])
async def test_a_picture_of_an_overlay_is_a_url_that_may_be_opened(
    shared_client: httpx.AsyncClient, field: str, url: str
) -> None:
    """The same rule, and no data URI."""
    place = await refused_field(shared_client, "overlay", {"params": params(**{field: url})})
    assert place == ["body", "params", field]


async def test_an_inline_photo_of_too_many_pixels_is_a_400(client: httpx.AsyncClient, backend: InProcess) -> None:
    """Its header says so at once, and the answer says what the limit is."""
    header = struct.pack(">IIBBBBB", 8000, 5001, 8, 2, 0, 0, 0)
    chunk = b"\0\0\0\rIHDR" + header + zlib.crc32(b"IHDR" + header).to_bytes(4)
    photo = base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()
    answer = await send(client, "avatar", source_images=[PNG, photo])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["body", "source_images", 1]
    assert "40,000,000 pixels" in answer.json()["detail"]
    assert backend.works == []


@pytest.mark.parametrize("size", [(8064, 6048), (8160, 6120), (16_320, 12_240)])
async def test_photos_of_todays_phones_are_taken(client: httpx.AsyncClient, size: tuple[int, int]) -> None:
    """JPEGs of 48, 50 and 200 megapixels are decoded smaller."""
    photo = io.BytesIO()
    Image.new("L", size).save(photo, "JPEG", quality=1)
    assert (await send(client, "avatar", source_images=[base64.b64encode(photo.getvalue()).decode()])).is_success


@REFUSED
@pytest.mark.parametrize(
    "expired",
    [
        "https://b.s3.example/k?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0",
        "https://b.s3.example/k?AWSAccessKeyId=A&Expires=1577836800&Signature=0",
        "https://storage.example/b/k?X-Goog-Date=20200101T000000Z&X-Goog-Expires=60&X-Goog-Signature=0",
        "https://a.blob.core.windows.net/c/k?se=2020-01-01T00:00:00Z&sp=w&sig=0",
    ],
)
async def test_an_expired_write_url_is_refused_at_submit(shared_client: httpx.AsyncClient, expired: str) -> None:
    """Better now than after the model has been paid."""
    answer = await send(shared_client, "avatar", writeUrl=expired)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["body", "writeUrl"]
    assert "expired" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("demanding", "words"),
    [
        ("https://b.s3.example/k?X-Amz-SignedHeaders=host%3Bx-amz-acl&X-Amz-Signature=0", "(x-amz-acl)"),
        (
            "https://a.blob.core.windows.net/c/k?st=2999-01-01T00:00:00Z&se=2999-01-02&sp=w&sig=0",
            "2999-01-01T00:00:00Z",
        ),
    ],
)
async def test_a_write_url_that_no_upload_of_ours_can_meet_is_refused_at_submit(
    client: httpx.AsyncClient, demanding: str, words: str
) -> None:
    """Headers that are not sent, and a beginning that lies ahead."""
    answer = await send(client, "avatar", writeUrl=demanding)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"] == ["body", "writeUrl"]
    assert words in answer.json()["detail"]
    assert (await send(client, "avatar", readUrl=demanding)).status_code == 201
