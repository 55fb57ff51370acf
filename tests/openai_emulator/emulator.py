"""A server of OpenAI's images API on loopback: OpenAI itself, as strict as that, or a lax one of one's own.

It answers as OpenAI does, counts what it charges for, and has faults on demand: each request takes the next fault from
`faults`, and then all goes well again. The faults are those of the fal emulator.
"""

import asyncio
import base64
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from PIL import Image, ImageDraw

from deployments.media.images import encode
from tests.fal_emulator.emulator import Fault
from tests.fal_emulator.http import Answer, Asked
from tests.fal_emulator.models import marked
from tests.openai_emulator.schemas import SCHEMAS, Invalid, check

KEY = "sk-a-secret-key-of-openai"


@dataclass(frozen=True)
class Call:
    """One that was charged for: its route, its fields, and its pictures with the names of their fields."""

    route: str
    fields: Mapping[str, Any]
    pictures: tuple[tuple[str, bytes], ...]
    headers: Mapping[str, str]


@dataclass
class OpenAIEmulator:
    """`strict`: OpenAI itself, which asks for a key and knows its models. `as_url`: results are URLs below `files`.

    `run_s` is how long a picture takes. `outcome`: what every call is answered with, instead of a picture.
    """

    strict: bool = True
    run_s: float = 0
    as_url: str | None = None
    outcome: Answer | None = None
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, *faults: Fault) -> None:
        self.faults.extend(faults)

    @property
    def posts(self) -> int:
        """How many calls came, charged or not."""
        return sum(asked.method == "POST" for asked in self.asked)

    async def handle(self, asked: Asked) -> Answer | None:
        self.asked.append(asked)
        self.began.set()
        if asked.path == "/emulator/calls":
            return Answer(200, {"posts": self.posts, "charges": [call.fields["prompt"] for call in self.calls]})
        if asked.method == "GET":
            content = self.files.get(asked.path)
            return Answer(200, content, {"Content-Type": "image/png"}) if content else Answer(404, b"gone")
        if self.run_s:
            await asyncio.sleep(self.run_s)
        way: Callable[[], Answer] = lambda: self._answer(asked)  # noqa: E731 - what a fault may do
        return await self.faults.popleft()(way) if self.faults else way()

    def _answer(self, asked: Asked) -> Answer:
        if self.strict and asked.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
        route = asked.path.removeprefix("/v1/")
        if route not in {"images/generations", "images/edits"}:
            return _error(404, f"Invalid URL (POST {asked.path})", "invalid_request_error", None)
        fields, pictures = _read(asked)
        if self.strict:
            if fields.get("model") not in SCHEMAS:
                message = f"The model '{fields.get('model')}' does not exist."
                return _error(404, message, "invalid_request_error", "model_not_found")
            try:
                check(fields, None if route == "images/generations" else len(pictures))
            except Invalid as error:
                return Answer(400, error.body)
        if self.outcome is not None:
            return self.outcome
        self.calls.append(Call(route, fields, pictures, asked.headers))
        return Answer(200, self._result(fields))

    def _result(self, fields: Mapping[str, Any]) -> dict[str, object]:
        picture = _painted(fields)
        usage = {"total_tokens": 1100, "input_tokens": 60, "output_tokens": 1040}
        if self.as_url is None:
            made = {"b64_json": base64.b64encode(picture).decode()}
        else:
            name = f"/files/{len(self.calls)}.png"
            self.files[name] = picture
            made = {"url": f"{self.as_url}{name}"}
        return {"created": 1, "data": [made], **({"usage": usage} if self.strict else {})}


def _painted(fields: Mapping[str, Any]) -> bytes:
    """A picture of a sixteenth of what was asked; where that was a cut-out, with a transparent rim."""
    match = re.fullmatch(r"(\d+)x(\d+)", str(fields.get("size", "1024x1024")))
    assert match is not None
    size = (int(match[1]) // 16, int(match[2]) // 16)
    if fields.get("background") != "transparent":
        return marked(fields["prompt"], size)
    image = Image.new("RGBA", size)
    ImageDraw.Draw(image).ellipse((size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1]), "tomato")
    return encode(image)


def _read(asked: Asked) -> tuple[dict[str, Any], tuple[tuple[str, bytes], ...]]:
    """The fields and the pictures of a body in JSON, or in parts (RFC 7578)."""
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return json.loads(asked.body), ()
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1")
    fields: dict[str, Any] = {}
    pictures: list[tuple[str, bytes]] = []
    for part in BytesParser(policy=HTTP).parsebytes(head + asked.body).iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        if part.get_filename() is None:
            fields[name] = content.decode()
        else:
            pictures.append((name, content))
    return fields, tuple(pictures)


def _error(status: int, message: str, kind: str, code: str | None) -> Answer:
    return Answer(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


def error(status: int, code: str | None, message: str = "no", **headers: str) -> Answer:
    """OpenAI's error object."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"error": {"message": message, "type": "image_generation_user_error", "param": None, "code": code}}
    return Answer(status, body, named)
