"""The three routes that start a task: exact bodies, and a 400 for whatever is wrong with the request itself."""

import asyncio
import base64
import copy
import io
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from PIL import Image

from deployments.tasks.work import AvatarJob, BackgroundJob, OverlayJob
from tests.api.conftest import InProcess

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
URLS = {"writeUrl": "https://store.example/w?X=1", "readUrl": "https://store.example/r"}
AVATAR = {"prompt": "a pilot", "source_images": [PNG], "avatar_id": "a 1", **URLS}
BACKGROUND = {"prompt": "a sea", "avatar_id": "a 1", **URLS}
OVERLAY = {
    "prompt": "on the beach",
    "avatar_id": "a 1",
    "params": {
        "person": "https://pictures.example/p.png",
        "background": "https://pictures.example/b.png",
        "position": {"x": 10, "y": -20.5, "scale": 0.5},
    },
    **URLS,
}
ROUTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "avatar": ("POST", "/api/v1/avatar", AVATAR),
    "background": ("PUT", "/api/v1/avatar/a%201/background", BACKGROUND),
    "overlay": ("PUT", "/api/v1/avatar/a%201/overlay", OVERLAY),
}


async def send(client: httpx.AsyncClient, route: str, **changes: object) -> httpx.Response:
    """The route's example with some fields changed; a field given as `...` is left out."""
    method, path, example = ROUTES[route]
    body = {name: value for name, value in {**copy.deepcopy(example), **changes}.items() if value is not ...}
    return await client.request(method, path, content=json.dumps(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(("route", "status"), [("avatar", 201), ("background", 200), ("overlay", 200)])
async def test_success_bodies_hold_exactly_the_documented_keys(
    client: httpx.AsyncClient, route: str, status: int
) -> None:
    """Clients may compare whole bodies."""
    answer = await send(client, route)
    assert answer.status_code == status
    assert set(answer.json()) == {"aige_task_id", "avatar_id"}
    assert answer.json()["avatar_id"] == "a 1"


async def test_what_was_asked_reaches_the_stages(client: httpx.AsyncClient, backend: InProcess) -> None:
    """The prompt word for word, the pictures, the shapes, the place, and the defaults."""
    await send(client, "avatar", prompt="  a pilot\n", source_images=[PNG, "https://pictures.example/x.jpg"])
    await send(client, "background", aspect_ratio="16:9")
    await send(client, "overlay")
    while len(backend.works) < 3:  # noqa: ASYNC110 - polls
        await asyncio.sleep(0)  # lets the last of the runs begin
    avatar, background, overlay = (work.job for work in backend.works)
    assert isinstance(avatar, AvatarJob)
    assert isinstance(background, BackgroundJob)
    assert isinstance(overlay, OverlayJob)
    assert (avatar.prompt, avatar.ratio) == ("  a pilot\n", "1:1")
    assert [photo.data or photo.url for photo in avatar.photos] == [
        base64.b64decode(PNG),
        "https://pictures.example/x.jpg",
    ]
    assert background.ratio == "16:9"
    assert (overlay.canvas, overlay.x, overlay.y, overlay.scale) == ("landscape_16_9", 10, -20.5, 0.5)
    assert (overlay.person.url, overlay.write_url) == ("https://pictures.example/p.png", URLS["writeUrl"])


@pytest.mark.parametrize("photo", [PNG, f"data:image/png;base64,{PNG}", f"DATA:image/jpeg;base64,{PNG}"])
async def test_photos_may_be_data_uris_or_bare_base64(client: httpx.AsyncClient, photo: str) -> None:
    """What counts is the picture's first bytes, whatever the URI calls it."""
    assert (await send(client, "avatar", source_images=[photo])).status_code == 201


@pytest.mark.parametrize("route", ROUTES)
async def test_null_and_unknown_fields_are_harmless(client: httpx.AsyncClient, route: str) -> None:
    """`null` for an optional field counts as absent; fields that nobody knows are ignored."""
    assert (await send(client, route, aspect_ratio=None, nobody="knows")).is_success


NOT_TEXT: list[object] = [None, 7, True, [], {}, ...]
BAD_URLS = [
    "",
    "ftp://x.example/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//x.example/a",
    "http://127.0.0.1/a",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/latest",
    "http://localhost/",
    "https://user:pass@x.example/",
    "http://x.example/a b",
    "http://",
]
WRONG: list[tuple[str, Mapping[str, object]]] = [
    *[(route, {field: bad}) for route in ROUTES for field in ("prompt", "avatar_id") for bad in NOT_TEXT],
    *[(route, {"prompt": bad}) for route in ROUTES for bad in ("", " \n\t", "x" * 4001, "a\0b", "\ud800")],
    *[
        (route, {"avatar_id": bad})
        for route in ROUTES
        for bad in ("", "x" * 129, "a/b", "a\nb", "a\0b", "b\x85", ".", "..")
    ],
    *[(route, {field: bad}) for route in ROUTES for field in ("writeUrl", "readUrl") for bad in [*BAD_URLS, *NOT_TEXT]],
    *[(route, {"aspect_ratio": bad}) for route in ROUTES for bad in ("2:1", "", 1, "square hd", ["1:1"])],
    ("overlay", {"aspect_ratio": "1:1"}),
    ("avatar", {"aspect_ratio": "square"}),
    *[("avatar", {"source_images": bad}) for bad in ([], [PNG] * 9, PNG, None, ..., [None], [7], [[PNG]])],
    *[("avatar", {"source_images": [bad]}) for bad in ("", "!!!!", "AAA", PNG[:-1] + "*", "data:image/png;base64,")],
    *[
        ("avatar", {"source_images": [base64.b64encode(bad).decode()]})
        for bad in (b"GIF89a....", b"<svg/>", b"<html>", b"BM......", b"%PDF-1.7")
    ],
    ("avatar", {"source_images": [f"data:text/html;base64,{PNG}"]}),
    *[("avatar", {"source_images": [bad]}) for bad in BAD_URLS if bad.startswith("http")],
]


@pytest.mark.parametrize(("route", "change"), WRONG)
async def test_a_wrong_field_is_a_400_that_names_it(
    client: httpx.AsyncClient, backend: InProcess, route: str, change: Mapping[str, object]
) -> None:
    """A problem document whose `errors` point at the field; nothing is started."""
    answer = await send(client, route, **change)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) <= {"type", "title", "status", "detail", "errors"}
    if "avatar_id" not in change or route == "avatar":
        assert problem["errors"][0]["loc"][:2] == ["body", next(iter(change))]
    assert set(problem["errors"][0]) == {"loc", "msg", "type"}
    assert backend.works == []


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


NO_NUMBER: list[object] = ["1", True, None, [1], {}]


def params(**changes: object) -> dict[str, object]:
    whole = copy.deepcopy(OVERLAY["params"])
    assert isinstance(whole, dict)
    for name, value in changes.items():
        (whole["position"] if name in {"x", "y", "scale"} else whole)[name] = value
    return whole


@pytest.mark.parametrize(
    "wrong",
    [
        *[params(**{field: bad}) for field in ("x", "y", "scale") for bad in NO_NUMBER],
        *[params(scale=bad) for bad in (0, -1, 20.0001)],
        *[params(**{field: bad}) for field in ("person", "background") for bad in [*BAD_URLS, f"data:,{PNG}", None]],
        {},
        None,
        [],
        {**params(), "position": None},
    ],
)
async def test_a_wrong_place_or_picture_is_a_400(client: httpx.AsyncClient, wrong: object) -> None:
    """Numbers are strict: neither quoted nor boolean."""
    answer = await send(client, "overlay", params=wrong)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["loc"][:2] == ["body", "params"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
async def test_numbers_are_finite(client: httpx.AsyncClient, number: str) -> None:
    """JSON has no word for these, but many parsers take them."""
    body = json.dumps(OVERLAY).replace("-20.5", number)
    answer = await client.put(ROUTES["overlay"][1], content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("place", [params(x=-1e300, y=1e300), params(scale=20), params(x=0, y=0, scale=1e-300)])
async def test_extreme_places_are_fine(client: httpx.AsyncClient, place: dict[str, object]) -> None:
    """A person may lie past every edge."""
    assert (await send(client, "overlay", params=place)).status_code == 200


@pytest.mark.parametrize("route", ["background", "overlay"])
async def test_the_avatar_id_must_match_the_path(client: httpx.AsyncClient, route: str) -> None:
    """Compared after percent-decoding."""
    answer = await send(client, route, avatar_id="a%201")
    assert answer.status_code == 400
    assert "differ" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"prompt": ' + b"9" * 10_000 + b"}"],
    ids=lambda body: body[:8].decode("latin-1"),
)
async def test_what_is_no_json_object_is_a_400(client: httpx.AsyncClient, body: bytes) -> None:
    """However it is broken."""
    answer = await client.post("/api/v1/avatar", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "expired",
    [
        "https://b.s3.example/k?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0",
        "https://b.s3.example/k?AWSAccessKeyId=A&Expires=1577836800&Signature=0",
        "https://storage.example/b/k?X-Goog-Date=20200101T000000Z&X-Goog-Expires=60&X-Goog-Signature=0",
        "https://a.blob.core.windows.net/c/k?se=2020-01-01T00:00:00Z&sp=w&sig=0",
    ],
)
async def test_an_expired_write_url_is_refused_at_submit(client: httpx.AsyncClient, expired: str) -> None:
    """Better now than after the model has been paid."""
    answer = await send(client, "avatar", writeUrl=expired)
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
