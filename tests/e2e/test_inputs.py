"""Pictures that cannot be had, or are none: the task ends in `error` and says why."""

import base64
import io
import socket

import pytest
from PIL import Image

from tests.e2e import pictures
from tests.e2e.service import PHOTO, Service

GIF = io.BytesIO()
Image.new("P", (8, 8)).save(GIF, "GIF")

HOSTILE = {
    "truncated": PHOTO.read_bytes()[:30_000],
    "bomb": pictures.bomb(),
    "gif": GIF.getvalue(),
    "html": b"<!doctype html><title>Log in</title>",
    "empty": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_invalid_image(service: Service, name: str) -> None:
    """As a photo, as the person, and as the background."""
    url = service.sink.serve(f"/hostile/{name}", HOSTILE[name], "image/png")
    good = service.sink.serve("/good.png", pictures.png(pictures.cut_out()))
    position = {"x": 0, "y": 0, "scale": 1}
    tasks = [
        service.avatar("/never.png", "a cartoon", url),
        service.overlay("/never.png", {"person": url, "background": good, "position": position}),
        service.overlay("/never.png", {"person": good, "background": url, "position": position}),
    ]
    assert [service.failure(task_id) for task_id in tasks] == ["invalid_image"] * 3


def test_an_inline_photo_that_breaks_later_is_invalid_image(service: Service) -> None:
    """Its first bytes were right, so the request was accepted."""
    task_id = service.avatar("/never.png", "a cartoon", base64.b64encode(HOSTILE["truncated"]).decode())
    assert service.failure(task_id) == "invalid_image"


def test_a_photo_of_nobody_is_no_person_found(service: Service) -> None:
    """In an avatar, and as the person of an overlay."""
    scene = service.sink.serve("/nobody.png", pictures.png(pictures.scene()))
    params = {"person": scene, "background": scene, "position": {"x": 0, "y": 0, "scale": 1}}
    tasks = [service.avatar("/never.png", "a cartoon", scene), service.overlay("/never.png", params)]
    assert [service.failure(task_id) for task_id in tasks] == ["no_person_found"] * 2


def test_what_cannot_be_fetched_is_fetch_failed(service: Service) -> None:
    """A 404; a port where nobody listens; a public name that leads to this machine, which is found out only later."""
    urls = [
        f"{service.sink.url}/missing.png",
        f"http://{socket.gethostname()}.:{service.sink.host.rpartition(':')[2]}/good.png",
        f"http://{socket.gethostname()}:{service.sink.host.rpartition(':')[2]}/good.png",
    ]
    service.sink.serve("/good.png", PHOTO.read_bytes())
    before = len(service.sink.requests["/good.png"])
    tasks = [service.avatar("/never.png", "a cartoon", url) for url in urls]
    assert [service.failure(task_id) for task_id in tasks] == ["fetch_failed"] * len(urls)
    assert len(service.sink.requests["/good.png"]) == before


def test_nothing_of_a_failed_task_is_uploaded(service: Service) -> None:
    """Its `writeUrl` is never touched."""
    task_id = service.avatar("/untouched.png", "raises")
    assert service.failure(task_id) == "internal"
    assert "/untouched.png" not in service.sink.requests
