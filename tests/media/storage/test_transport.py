"""Our own stages reach the built-in store in-process, with the answers that the API's routes would give."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.media.storage import BuiltinStore, StoreTransport, own_store
from deployments.media.storage.base import Presigned

HOUR = 3600
BASE = "http://aige.example:8000"
PNG = b"\x89PNG\r\n\x1a\n and so on"


class Fixture:
    """A store, its clock's hand, and the way to it."""

    def __init__(self, root: Path) -> None:
        self.now = datetime.now(UTC).timestamp()
        self.store = BuiltinStore(root, b"secret", max_bytes=1000, clock=lambda: self.now)
        self.transport = StoreTransport(self.store)

    def presign(self) -> Presigned:
        return self.store.presign(None, BASE)

    def owns(self, url: str) -> bool:
        return self.transport.owns(url)


@pytest.fixture
def own(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path)


async def test_put_then_get(own: Fixture) -> None:
    """200 for both, and the same bytes."""
    signed = own.presign()
    assert await own.transport.put(signed.write_url, b"first") == 200
    assert await own.transport.put(signed.write_url, PNG) == 200
    assert await own.transport.get(signed.read_url) == (200, PNG)


async def test_refusals_have_the_statuses_of_the_api(own: Fixture) -> None:
    """403 for the wrong method and for an expired URL, 404 for no object, 413 for one that is too large."""
    signed = own.presign()
    assert await own.transport.get(signed.write_url) == (403, b"")
    assert await own.transport.put(signed.read_url, PNG) == 403
    assert await own.transport.get(signed.read_url) == (404, b"")
    assert await own.transport.put(signed.write_url, b"x" * 1001) == 413
    own.now += HOUR
    assert await own.transport.put(signed.write_url, b"x") == 403


def test_it_owns_what_it_has_signed(own: Fixture) -> None:
    """Also on another host, behind a proxy's path, and after the end: none of these may become a network call."""
    signed = own.presign()
    assert own.owns(signed.write_url)
    assert own.owns(signed.read_url)
    assert own.owns(signed.read_url.replace(BASE, "https://aige.example/behind"))
    own.now += 1000 * HOUR
    assert own.owns(signed.read_url)


def test_it_owns_nothing_else(own: Fixture, tmp_path: Path) -> None:
    """A URL that only looks like ours goes the guarded way, like any stranger's."""
    signed = own.presign()
    foreign = BuiltinStore(tmp_path, b"other secret", max_bytes=1).presign(signed.key, BASE)
    assert not own.owns(foreign.read_url)
    assert not own.owns(signed.read_url[:-1])
    assert not own.owns(signed.read_url.replace("expires=", "expires=9"))
    assert not own.owns(signed.read_url.replace(signed.key, "0" * 32))
    assert not own.owns(signed.read_url.replace("storage", "task"))
    assert not own.owns(signed.read_url.replace("/objects/", "/objects/../objects/%00"))
    assert not own.owns("http://169.254.169.254/api/v1/storage/objects/")


def test_only_the_built_in_store_is_reached_so(own: Fixture) -> None:
    """A bucket's URLs go the way of all URLs."""

    class Bucket:
        def presign(self, key: str | None, base_url: str) -> Presigned:
            raise NotImplementedError

    assert own_store(Bucket()) is None
    assert own_store(own.store) is not None
