"""The built-in store over real HTTP."""

import time
from pathlib import Path

import httpx
import pytest

from deployments.media.storage import BuiltinStore
from tests.e2e.service import STORAGE_SECRET, Service, assert_is_problem

PICTURE = b"\x89PNG\r\n\x1a\n the rest is nobody's business"


def test_what_is_put_can_be_got(service: Service, anyone: httpx.Client) -> None:
    """Without an API key: the signature is the key. A second PUT replaces the first."""
    signed = service.http.post("/storage/presign", json={}).json()
    assert set(signed) == {"key", "writeUrl", "readUrl", "expires_at"}
    assert_is_problem(anyone.get(signed["readUrl"]), 404)
    for content in (b"first", PICTURE):
        assert anyone.put(signed["writeUrl"], content=content).status_code == 200
    answer = anyone.get(signed["readUrl"])
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PICTURE, "image/png")
    again = service.http.post("/storage/presign", json={"key": signed["key"]}).json()
    assert anyone.get(again["readUrl"]).content == PICTURE


@pytest.mark.parametrize("asked", ["bytes=1-3", "bytes=900-", "bytes=", "pages=1-3"])
def test_an_object_is_read_whole(service: Service, anyone: httpx.Client, asked: str) -> None:
    """Parts are not to be had, and asking for them is no error (RFC 9110, 14.2)."""
    signed = service.http.post("/storage/presign").json()
    anyone.put(signed["writeUrl"], content=PICTURE)
    answer = anyone.get(signed["readUrl"], headers={"Range": asked})
    assert (answer.status_code, answer.content, answer.headers["accept-ranges"]) == (200, PICTURE, "none")


@pytest.mark.parametrize("kind", ["writeUrl", "readUrl"])
def test_a_url_that_was_changed_is_a_403(service: Service, anyone: httpx.Client, kind: str) -> None:
    """Its signature, its expiry, or its method."""
    signed = service.http.post("/storage/presign").json()
    method, other = ("PUT", "GET") if kind == "writeUrl" else ("GET", "PUT")
    url = signed[kind]
    changed = [url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("expires=", "expires=9"), url.partition("?")[0]]
    for wrong in changed:
        assert_is_problem(anyone.request(method, wrong), 403)
    assert_is_problem(anyone.request(other, url), 403)


def test_a_url_that_has_expired_is_a_403(service: Service, anyone: httpx.Client, tmp_path: Path) -> None:
    """A write URL after an hour, a read URL after a week."""
    old = BuiltinStore(tmp_path, STORAGE_SECRET.encode(), max_bytes=1, clock=lambda: time.time() - 8 * 86_400)
    signed = old.presign(None, f"http://{service.http.base_url.netloc.decode()}")
    assert_is_problem(anyone.put(signed.write_url, content=b"x"), 403)
    assert_is_problem(anyone.get(signed.read_url), 403)
    body = service.background_body("", "instant") | {"writeUrl": signed.write_url}
    assert_is_problem(service.http.put("/avatar/a/background", json=body), 400)


def test_an_object_over_the_limit_is_a_413(service: Service, anyone: httpx.Client) -> None:
    """20 MB go in, and a byte more does not."""
    signed = service.http.post("/storage/presign").json()
    assert anyone.put(signed["writeUrl"], content=bytes(20_000_000)).status_code == 200
    assert_is_problem(anyone.put(signed["writeUrl"], content=bytes(20_000_001)), 413)
    assert len(anyone.get(signed["readUrl"]).content) == 20_000_000
