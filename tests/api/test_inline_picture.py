"""Photos in a request: base64 as people's tools write it, and what they are told where it is none."""

import base64
import textwrap
import time
from urllib.parse import quote

import httpx
import pytest

from deployments.api.inline_picture import NotInline, inline_picture
from tests.api.requests import send

DATA = b"\x89PNG\r\n\x1a\n" + bytes(range(248, 256)) * 15
"""Its base64 has what differs between the alphabets, and padding."""

TEXT = base64.b64encode(DATA).decode()
URL_SAFE = base64.urlsafe_b64encode(DATA).decode()
LINES = "\n".join(textwrap.wrap(TEXT, 76))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT + "\n",
        " \t" + TEXT,
        LINES,
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\u2028\u00a0"),
        TEXT.rstrip("="),
        TEXT + "==",
        URL_SAFE,
        URL_SAFE.rstrip("="),
        f"data:image/png;base64,{TEXT}",
        f"data:image/png;base64, {LINES}\n",
        f" DATA:IMAGE/JPEG;BASE64,{TEXT}",
        f"data:image/png;name=a photo.png;charset=utf-8;base64,{TEXT}",
        f'data:image/png;name="a,b;c.png";base64,{URL_SAFE}',
        f"data:image/vnd.x+y.z; base64 ,{TEXT.rstrip('=')}",
        f"data:image/png;base64,{TEXT.replace('+', '%2B').replace('/', '%2f').replace('=', '%3D')}",
        f"data:image/png;base64,{quote(TEXT, safe='')}",
        f"data:image/png;base64,{quote(LINES.replace(chr(10), chr(13) + chr(10)))}%20%09",
        f"data:image/png;base64,{URL_SAFE.replace('-', '%2d').replace('_', '%5F')}",
    ],
)
async def test_base64_is_read_as_it_is_written(client: httpx.AsyncClient, text: str) -> None:
    """White space anywhere, padding or none, either alphabet, any parameters; the bytes are the same."""
    assert inline_picture(text) == DATA
    assert (await send(client, "avatar", source_images=[text])).status_code == 201


def test_the_sample_has_what_is_tried() -> None:
    """Else the two alphabets, and padding, would not be told apart."""
    assert "+" in TEXT
    assert "/" in TEXT
    assert TEXT.endswith("=")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The photo is empty."),
        (" \n", "The photo is empty."),
        ("data:image/png;base64,", "The photo is empty."),
        ("AAAA\nAA*A", "Character 7 of the base64 (white space not counted) is '*', which base64 does not have."),
        ("photo.jpg", "Character 6 of the base64 (white space not counted) is '.', which base64 does not have."),
        (
            "\N{SNOWMAN}",
            r"Character 1 of the base64 (white space not counted) is '\u2603', which base64 does not have.",
        ),
        ("AAAAA", "The base64 is cut off: one character is left over at its end."),
        ("AA==AAAA", "The base64 goes on after its padding: send each picture by itself."),
        ("ftp://x.example/a.png", "A photo cannot be read from a 'ftp:' address: send an http(s) URL or base64."),
        ("blob:http://x/1", "A photo cannot be read from a 'blob:' address: send an http(s) URL or base64."),
        (
            "data:image/png;base64,AA%41%zz",
            "Character 3 of the base64 (white space not counted) is '%', which base64 does not have.",
        ),
        ("data:image/png,AAAA", "The data URI does not say ';base64,' after its type: only base64 is read."),
        ("data:image/png;base64", "The data URI does not say ';base64,' after its type: only base64 is read."),
        ("data:text/html;base64,AA", "The data URI is of the type 'text/html': a photo's type begins with 'image/'."),
        ("data:;base64,AAAA", "The data URI is of the type '': a photo's type begins with 'image/'."),
    ],
)
async def test_what_is_refused_says_what_is_wrong_with_it(client: httpx.AsyncClient, text: str, said: str) -> None:
    """A sentence about this text, at its place in the list."""
    with pytest.raises(NotInline) as raised:
        inline_picture(text)
    assert str(raised.value) == said
    answer = await send(client, "avatar", source_images=["https://x.example/a.png", text])
    assert (answer.status_code, answer.json()["detail"]) == (400, said)
    assert answer.json()["errors"][0]["loc"] == ["body", "source_images", 1]


async def test_a_url_with_white_space_before_it_is_told_so(client: httpx.AsyncClient) -> None:
    """It is meant as a URL, so it is no matter of base64."""
    answer = await send(client, "avatar", source_images=[" https://x.example/a.png"])
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The URL cannot be used: ")


def test_percent_signs_take_no_time_worth_a_word() -> None:
    """Python's own `unquote` takes half a second for as many: everybody else would wait."""
    text = "data:image/png;base64," + "%2B" * 1_000_000
    began = time.process_time()
    assert len(inline_picture(text)) == 750_000
    assert time.process_time() - began < 0.25
