"""The three routes that start a task: exact bodies, and what reaches the stages."""

import asyncio
import base64

import httpx
import pytest

from deployments.tasks.work import AvatarJob, BackgroundJob, OverlayJob
from tests.api.in_process import InProcess
from tests.api.requests import PNG, URLS, send


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


@pytest.mark.parametrize("route", ["background", "overlay"])
async def test_the_avatar_id_must_match_the_path(client: httpx.AsyncClient, route: str) -> None:
    """Compared after percent-decoding."""
    answer = await send(client, route, avatar_id="a%201")
    assert answer.status_code == 400
    assert "differ" in answer.json()["detail"]
