"""Requests to the three routes that start a task, and their fields' wrong values."""

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.types import Message

from deployments.api.app import Parts, build_api

REFUSED = pytest.mark.asyncio(loop_scope="module")
"""On tests whose requests are all refused: they share the API of `shared_client`."""

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


def params(**changes: object) -> dict[str, object]:
    whole = copy.deepcopy(OVERLAY["params"])
    assert isinstance(whole, dict)
    for name, value in changes.items():
        (whole["position"] if name in {"x", "y", "scale"} else whole)[name] = value
    return whole


async def broken_off(parts: Parts, method: str, url: str, begin: bytes) -> int:
    """The status that is answered to a request whose client goes away after the beginning of its body."""
    received: list[Message] = [
        {"type": "http.request", "body": begin, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    at = httpx.URL(url)
    scope = {"type": "http", "method": method, "path": at.path, "query_string": at.query, "headers": []}
    await build_api(parts)(scope, receive, send)
    return int(sent[0]["status"])


async def started(client: httpx.AsyncClient, route: str = "avatar") -> str:
    task_id: str = (await send(client, route)).json()["aige_task_id"]
    return task_id


async def refused_field(client: httpx.AsyncClient, route: str, change: Mapping[str, object]) -> list[str | int]:
    """The place that the 400 names, which answers the route's example with `change`."""
    answer = await send(client, route, **change)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) <= {"type", "title", "status", "detail", "errors"}
    assert set(problem["errors"][0]) == {"loc", "msg", "type"}
    place: list[str | int] = problem["errors"][0]["loc"]
    return place
