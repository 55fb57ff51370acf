"""What a body must be: JSON text in UTF-8 that says so."""

import json

import httpx
import pytest

from deployments.api.app import Parts
from deployments.api.json_body import MOST_COMMAS
from deployments.api.models import PROMPT_CODE_POINTS
from deployments.media.destinations import MAX_URL_LENGTH
from tests.api.in_process import InProcess
from tests.api.requests import BACKGROUND, ROUTES, broken_off, send

PATH = ROUTES["background"][1]
SPOKEN = json.dumps({**BACKGROUND, "prompt": "Zoë on the beach"}, ensure_ascii=False)


async def put(client: httpx.AsyncClient, body: bytes, content_type: str | None = "application/json") -> httpx.Response:
    return await client.put(PATH, content=body, headers={"Content-Type": content_type} if content_type else {})


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;profile=x"],
)
async def test_json_is_taken(client: httpx.AsyncClient, content_type: str) -> None:
    """In any spelling of its type, with any parameters."""
    assert (await put(client, SPOKEN.encode(), content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain;charset=UTF-8",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/problem+json",
        "application/jsonlines",
        "multipart/form-data; boundary=x",
    ],
)
async def test_another_type_is_told_which_header_to_send(
    client: httpx.AsyncClient, backend: InProcess, content_type: str | None
) -> None:
    """Not even `text/plain` is taken: any web page may send that to a service on localhost."""
    answer = await put(client, SPOKEN.encode(), content_type)
    assert answer.status_code == 400
    assert "'Content-Type: application/json'" in answer.json()["detail"]
    assert answer.json()["errors"][0]["loc"] == ["header", "Content-Type"]
    assert backend.works == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *[(SPOKEN, encoding) for encoding in ("latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32")],
        *[(json.dumps(BACKGROUND), encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32-be")],
    ],
)
async def test_another_encoding_is_told_to_be_utf_8(client: httpx.AsyncClient, text: str, encoding: str) -> None:
    """PowerShell 5 sends Latin-1. Of English text, UTF-16 is valid UTF-8, with a NUL beside each letter."""
    answer = await put(client, text.encode(encoding))
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith("must be sent in UTF-8.")
    assert answer.json()["errors"][0]["loc"] == ["body"]


async def test_the_first_byte_that_is_not_utf_8_is_named(client: httpx.AsyncClient) -> None:
    """By line and column; a lone surrogate is none either, however it was encoded."""
    answer = await put(client, b'{\n  "prompt": "Zo\xeb"}')
    assert "0xeb at line 2, column 16" in answer.json()["detail"]
    answer = await put(client, b'{"prompt": "\xed\xa0\x80"}')
    assert "0xed at line 1, column 13" in answer.json()["detail"]


async def test_a_byte_order_mark_does_no_harm(client: httpx.AsyncClient) -> None:
    """Windows puts one before UTF-8."""
    assert (await put(client, b"\xef\xbb\xbf" + SPOKEN.encode())).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{ not json", "Expecting property name enclosed in double quotes: line 1, column 3"),
        (b'{"prompt": "a sea",\n "avatar_id": }', "Expecting value: line 2, column 15"),
        (b'{"prompt": "a', "Unterminated string starting at: line 1, column 12"),
        (b'{"prompt": "a\nb"}', "Invalid control character at: line 1, column 14"),
        (b"{}{}", "Extra data: line 1, column 3"),
        (b" \n", "Expecting value: line 2, column 1"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"prompt": ' + b"9" * 10_000 + b"}", "a number in it has too many digits"),
    ],
    ids=["name", "value", "string", "control character", "two values", "white space", "depth", "digits"],
)
async def test_broken_json_is_told_where(client: httpx.AsyncClient, body: bytes, said: str) -> None:
    """Line and column, in one sentence."""
    answer = await put(client, body)
    assert answer.status_code == 400
    assert answer.json()["detail"] == f"The body is not valid JSON: {said}."


@pytest.mark.parametrize("value", ["[]", "{}", "1.5", '""'])
async def test_a_body_of_millions_of_values_is_refused(client: httpx.AsyncClient, value: str) -> None:
    """Even in a field that is ignored, reading them would hold up everybody else for seconds."""
    for many, status in ((1_000, 200), (MOST_COMMAS + 1, 400)):
        body = json.dumps({**BACKGROUND, "z": "@"}).replace('"@"', f"[{','.join([value] * many)}]")
        assert (await put(client, body.encode())).status_code == status


async def test_the_longest_texts_and_urls_are_not_too_many_values(client: httpx.AsyncClient) -> None:
    """Though they may consist of commas."""
    url = "https://pictures.example/".ljust(MAX_URL_LENGTH, ",")
    prompt = "," * PROMPT_CODE_POINTS
    answer = await send(client, "avatar", prompt=prompt, source_images=[url] * 8, writeUrl=url, readUrl=url)
    assert answer.status_code == 201


async def test_a_body_that_breaks_off_is_no_fault_of_ours(parts: Parts) -> None:
    """Its client is gone: that is no 500, and no stack trace in the log."""
    assert await broken_off(parts, "POST", "/api/v1/avatar", b"{") == 400


async def test_the_store_is_as_strict_and_takes_no_body_at_all(client: httpx.AsyncClient) -> None:
    """`POST /storage/presign` without a body, and so without a type, means `{}`."""
    presign = "/api/v1/storage/presign"
    assert (await client.post(presign)).status_code == 200
    assert (await client.post(presign, json={})).status_code == 200
    assert (await client.post(presign, content=b"{}")).status_code == 400
    assert (await client.post(presign, content=b"{", headers={"Content-Type": "application/json"})).status_code == 400


async def test_an_object_may_be_anything(client: httpx.AsyncClient) -> None:
    """The bodies that go into the store are no JSON, whatever type they claim."""
    place = (await client.post("/api/v1/storage/presign")).json()
    answer = await client.put(place["writeUrl"], content=b"\xff", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


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
