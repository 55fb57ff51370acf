"""The built-in store gives an object to whoever holds its URL, while it lasts, and to nobody else."""

import errno
import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deployments.errors import BodyTooLarge, Forbidden, InvalidRequest, NotFound, SettingsError, Unavailable
from deployments.media.storage import BuiltinStore, Presigned

HOUR, WEEK = 3600, 7 * 24 * 3600
BASE = "https://aige.example"
PNG = b"\x89PNG\r\n\x1a\n and so on"
NO_KEYS = [
    "",
    ".",
    "..",
    "../secret",
    "/etc/passwd",
    "a" * 31,
    "a" * 33,
    "a" * 5000,
    "A" * 32,
    "g" * 32,
    "a" * 31 + "\0",
    "a" * 32 + "\n",
    "a" * 32 + "/..",
    "\N{FULLWIDTH DIGIT ONE}" * 32,
    "\N{ARABIC-INDIC DIGIT ONE}" * 32,
    "\ud800" * 32,
    "aux",
]


class Clock:
    """Starts at the real time, since files carry it; moves only when told."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> BuiltinStore:
    return BuiltinStore(tmp_path / "objects", b"secret", max_bytes=1000, clock=clock)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def query_of(url: str) -> Mapping[str, str]:
    return httpx.URL(url).params


def read(store: BuiltinStore, key: str) -> bytes:
    found = store.open(key)
    with found.file as file:
        content = file.read()
    assert len(content) == found.size
    return content


def files_in(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "objects").iterdir())


async def test_what_is_written_can_be_read(store: BuiltinStore) -> None:
    """A new object's two URLs do what they are for, and a second PUT replaces the first."""
    signed = store.presign(None, BASE)
    store.verify("PUT", signed.key, query_of(signed.write_url))
    await store.write(signed.key, chunks(b"first"))
    await store.write(signed.key, chunks(PNG[:5], b"", PNG[5:]))
    store.verify("GET", signed.key, query_of(signed.read_url))
    assert read(store, signed.key) == PNG


def test_urls_name_the_service_the_key_and_the_expiry(store: BuiltinStore, clock: Clock) -> None:
    """The contract's route, an hour to write and a week to read; also behind a proxy that adds a path."""
    signed = store.presign(None, BASE + "/behind/")
    for url, lifetime in ((signed.write_url, HOUR), (signed.read_url, WEEK)):
        assert url.startswith(f"{BASE}/behind/api/v1/storage/objects/{signed.key}?expires={int(clock.now) + lifetime}")
    assert signed.expires_at == datetime.fromtimestamp(int(clock.now) + HOUR, UTC)


def test_keys_are_unguessable(store: BuiltinStore) -> None:
    """A thousand new objects have a thousand keys of 128 random bits."""
    keys = {store.presign(None, BASE).key for _ in range(1000)}
    assert len(keys) == 1000
    assert all(len(bytes.fromhex(key)) == 16 for key in keys)


def test_signatures_are_for_one_method(store: BuiltinStore) -> None:
    """A write URL does not read, a read URL does not write; HEAD is a kind of GET."""
    signed = store.presign(None, BASE)
    store.verify("HEAD", signed.key, query_of(signed.read_url))
    for method, url in (("GET", signed.write_url), ("PUT", signed.read_url), ("DELETE", signed.write_url)):
        with pytest.raises(Forbidden, match="wrong"):
            store.verify(method, signed.key, query_of(url))


def test_urls_expire(store: BuiltinStore, clock: Clock) -> None:
    """The write URL works until the hour is over, the read URL until the week is."""
    signed = store.presign(None, BASE)
    clock.now = int(clock.now)
    for lifetime, method, url in ((HOUR, "PUT", signed.write_url), (WEEK, "GET", signed.read_url)):
        start, clock.now = clock.now, clock.now + lifetime - 1
        store.verify(method, signed.key, query_of(url))
        clock.now = start + lifetime
        with pytest.raises(Forbidden, match="expired"):
            store.verify(method, signed.key, query_of(url))
        clock.now = start


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["expires", "signature", "Expires"]), st.text()), st.text())
@example({"expires": "9" * 12, "signature": "\ud800"}, "\ud800")
@example({"expires": "\N{ARABIC-INDIC DIGIT ONE}", "signature": "\N{FULLWIDTH DIGIT ONE}"}, "a" * 32)
def test_made_up_queries_are_forbidden(query: dict[str, str], key: str) -> None:
    """Whatever the key and the parameters are, the answer is a clean 403."""
    store = BuiltinStore(Path(), b"secret", max_bytes=1)
    with pytest.raises(Forbidden):
        store.verify("GET", key, query)


@pytest.mark.parametrize("name", ["expires", "signature"])
@settings(deadline=None)
@given(st.data())
def test_changed_urls_are_forbidden(name: str, data: st.DataObject) -> None:
    """Not one character of expiry or signature can be changed, added or left out."""
    store = BuiltinStore(Path(), b"secret", max_bytes=1)
    signed = store.presign(None, BASE)
    query = dict(query_of(signed.read_url))
    at = data.draw(st.integers(0, len(query[name])))
    changed = query[name][:at] + data.draw(st.text(max_size=2)) + query[name][at + data.draw(st.integers(0, 1)) :]
    if changed == query[name]:
        return
    with pytest.raises(Forbidden):
        store.verify("GET", signed.key, query | {name: changed})


def test_another_secret_or_key_is_forbidden(store: BuiltinStore, tmp_path: Path) -> None:
    """Signatures are of no use for another object or another server."""
    signed, other = store.presign(None, BASE), store.presign(None, BASE)
    with pytest.raises(Forbidden, match="The URL's signature is wrong"):
        store.verify("GET", other.key, query_of(signed.read_url))
    with pytest.raises(Forbidden, match="The URL's signature is wrong"):
        BuiltinStore(tmp_path, b"other", max_bytes=1).verify("GET", signed.key, query_of(signed.read_url))


@pytest.mark.parametrize("key", NO_KEYS)
async def test_other_keys_never_touch_a_file(store: BuiltinStore, tmp_path: Path, key: str) -> None:
    """Traversal, NUL, capitals (file systems that fold them), look-alike digits and long names end before the disk."""
    with pytest.raises(InvalidRequest, match="The key is not one that this store handed out"):
        store.presign(key, BASE)
    with pytest.raises(NotFound, match="There is no such object"):
        await store.write(key, chunks(b"x"))
    with pytest.raises(NotFound, match="There is no such object"):
        store.open(key)
    assert files_in(tmp_path) == []


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[0-9a-fA-F./]{30,34}"))
def test_only_our_own_keys_are_signed(key: str) -> None:
    """`presign` takes what it hands out, and nothing else."""
    store = BuiltinStore(Path(), b"secret", max_bytes=1)
    ours = len(key) == 32 and set(key) <= set("0123456789abcdef")
    try:
        assert store.presign(key, BASE).key == key
    except InvalidRequest:
        assert not ours
    else:
        assert ours


async def test_too_large_an_object_leaves_nothing(store: BuiltinStore, tmp_path: Path) -> None:
    """The last allowed byte passes; with one more, neither a part nor a change to what was there stays."""
    signed = store.presign(None, BASE)
    await store.write(signed.key, chunks(b"x" * 999, b"x"))
    with pytest.raises(BodyTooLarge):
        await store.write(signed.key, chunks(b"y" * 1000, b"y"))
    assert read(store, signed.key) == b"x" * 1000
    assert files_in(tmp_path) == [signed.key]


async def test_an_interrupted_write_leaves_nothing(store: BuiltinStore, tmp_path: Path) -> None:
    """A client that goes away in the middle of its PUT leaves no part behind."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise RuntimeError("the client is gone")

    with pytest.raises(RuntimeError):
        await store.write(store.presign(None, BASE).key, broken())
    assert files_in(tmp_path) == []


async def test_an_opened_object_stays_as_it_was(store: BuiltinStore, tmp_path: Path) -> None:
    """Whole, whatever is written over it before it has been read, and even if it is swept."""
    signed = store.presign(None, BASE)
    await store.write(signed.key, chunks(b"x" * 1000))
    opened = store.open(signed.key)
    await store.write(signed.key, chunks(b"y"))
    (tmp_path / "objects" / signed.key).unlink()
    with opened.file as file:
        assert (file.read(), opened.size) == (b"x" * 1000, 1000)


def test_a_missing_object_is_not_found(store: BuiltinStore) -> None:
    """A key that nothing was written to answers 404."""
    with pytest.raises(NotFound, match="There is no such object"):
        store.open(store.presign(None, BASE).key)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<svg onload=alert(1)>", "application/octet-stream"),
        (b"<html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
async def test_media_types_are_told_by_content(store: BuiltinStore, content: bytes, media_type: str) -> None:
    """What a browser could run is never served as such."""
    key = store.presign(None, BASE).key
    await store.write(key, chunks(content))
    found = store.open(key)
    found.file.close()
    assert found.media_type == media_type


async def test_a_full_disk_is_a_503_without_a_path(tmp_path: Path) -> None:
    """The caller reads one sentence, and nothing stays."""

    def full(_: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = BuiltinStore(tmp_path / "objects", b"secret", max_bytes=1000, sync=full)
    with pytest.raises(Unavailable, match=r"^The object store's disk is full: try again later\.$"):
        await store.write(store.presign(None, BASE).key, chunks(b"x"))
    assert files_in(tmp_path) == []


async def test_disk_trouble_is_a_503_without_a_path(store: BuiltinStore, tmp_path: Path) -> None:
    """So is a folder that is gone, or no folder."""
    key = store.presign(None, BASE).key
    (tmp_path / "objects").rmdir()
    (tmp_path / "objects").touch()
    with pytest.raises(Unavailable, match=r"^The object store's disk does not work at the moment: try again later\.$"):
        await store.write(key, chunks(b"x"))
    with pytest.raises(Unavailable, match="The object store's disk does not work at the moment"):
        store.open(key)


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    """The operator is told which folder, and which setting moves it."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="AIGE_DATA_DIR"):
        BuiltinStore(tmp_path / "file" / "objects", b"secret", max_bytes=1)


async def written(store: BuiltinStore) -> Presigned:
    signed = store.presign(None, BASE)
    await store.write(signed.key, chunks(PNG))
    return signed


async def test_sweeping_removes_what_no_url_reads(store: BuiltinStore, clock: Clock, tmp_path: Path) -> None:
    """An object goes a week after its write, a part an hour after its last byte, a stranger's file never."""
    signed = await written(store)
    for name in (f"{signed.key}.0123.part", "README"):
        (tmp_path / "objects" / name).touch()
    clock.now += HOUR - 5
    store.sweep()
    assert len(files_in(tmp_path)) == 3
    clock.now += 10
    store.sweep()
    assert files_in(tmp_path) == sorted([signed.key, "README"])
    clock.now += WEEK
    store.sweep()
    assert files_in(tmp_path) == ["README"]


async def test_an_object_lives_as_long_as_its_newest_url(store: BuiltinStore, clock: Clock) -> None:
    """Fresh URLs on the sixth day can be read for a week from then."""
    signed = await written(store)
    clock.now += WEEK - HOUR
    fresh = store.presign(signed.key, BASE)
    clock.now += WEEK - HOUR
    store.sweep()
    store.verify("GET", signed.key, query_of(fresh.read_url))
    assert read(store, signed.key) == PNG


class TestErase:
    async def test_the_object_is_gone(self, store: BuiltinStore) -> None:
        """It says whether there was one."""
        key = store.presign(None, "").key
        await store.write(key, chunks(b"picture"))
        assert store.erase(key)
        with pytest.raises(NotFound, match="There is no such object"):
            store.open(key)
        assert not store.erase(key)

    async def test_nothing_is_written_there_any_more(self, store: BuiltinStore, tmp_path: Path) -> None:
        """By a URL that is still good, or an upload that was under way."""
        key = store.presign(None, "").key

        async def erased_meanwhile() -> AsyncIterator[bytes]:
            yield b"pic"
            store.erase(key)
            yield b"ture"

        for content in (erased_meanwhile(), chunks(b"picture")):
            with pytest.raises(NotFound, match="erased"):
                await store.write(key, content)
            with pytest.raises(NotFound, match="There is no such object"):
                store.open(key)
