"""The built-in object store: a folder of files behind signed, expiring URLs.

A signature is HMAC-SHA256 over method, key and expiry, so that one cannot be used for another. Whoever knows a key may
have it signed again (`presign`), so keys are kept as secret as the URLs themselves.
"""

import asyncio
import errno
import hashlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from deployments.errors import BodyTooLarge, Forbidden, NotFound, SettingsError, Unavailable
from deployments.media.images import sniff
from deployments.media.storage.base import READ_LIFETIME, WRITE_LIFETIME, Presigned, checked_key, is_key

OBJECTS_PATH = "/api/v1/storage/objects/"
_UNFINISHED = ".part"
_ERASED = ".erased"
"""Of a file beside an object that was erased: it stays for as long as a URL that may write there."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was when it was opened, whatever is written over it since. Whoever opened it closes `file`.

    Its media type is told by its first bytes, since what its writer said proves nothing.
    """

    file: BinaryIO
    size: int
    media_type: str


def sync_to_disk(file: BinaryIO) -> None:
    """What has been written survives a loss of power."""
    file.flush()
    os.fsync(file.fileno())


class BuiltinStore:
    """An `ObjectStore` in the folder `root`. `clock` tells the seconds since 1970; `sync` makes a file durable.

    Raises:
        SettingsError: the folder cannot be made.
    """

    def __init__(
        self,
        root: Path,
        secret: bytes,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        sync: Callable[[BinaryIO], None] = sync_to_disk,
    ) -> None:
        self._root = root
        self._secret = secret
        self._max_bytes = max_bytes
        self._clock = clock
        self._sync = sync
        try:
            root.mkdir(0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"{root} cannot be made: {error.strerror}; set AIGE_DATA_DIR.") from error

    def presign(self, key: str | None, base_url: str) -> Presigned:
        """See `ObjectStore`. An object that is there already stays for as long as its new URL can read it."""
        key, now = checked_key(key), self._clock()
        with suppress(OSError):
            os.utime(self._root / key, (now, now))
        url = f"{base_url.rstrip('/')}{OBJECTS_PATH}{key}"
        return Presigned(
            key=key,
            write_url=f"{url}?{self._query('PUT', key, now, WRITE_LIFETIME)}",
            read_url=f"{url}?{self._query('GET', key, now, READ_LIFETIME)}",
            expires_at=datetime.fromtimestamp(_expiry(now, WRITE_LIFETIME), UTC),
        )

    def verify(self, method: str, key: str, query: Mapping[str, str]) -> None:
        """Lets a request pass whose URL we have signed for its method, and which has not expired.

        Raises:
            Forbidden: any other.
        """
        if not self.has_signed(method, key, query):
            raise Forbidden("The URL's signature is wrong: use the URL exactly as it was handed out.")
        if int(query["expires"]) <= self._clock():
            raise Forbidden("The URL has expired: ask for a fresh one.")

    def has_signed(self, method: str, key: str, query: Mapping[str, str]) -> bool:
        """Whether the signature is ours, though it may have expired. A HEAD is allowed what a GET is."""
        ours = self._signature("GET" if method == "HEAD" else method, key, query.get("expires", ""))
        return hmac.compare_digest(ours.encode(), query.get("signature", "").encode(errors="replace"))

    async def write(self, key: str, chunks: AsyncIterable[bytes]) -> None:
        """Puts the object at `key`, over what may be there: readers see the old one or the new one, whole.

        Raises:
            BodyTooLarge: it is longer than `max_bytes`; nothing of it stays.
            NotFound: the object was erased.
            Unavailable: the disk is full or does not work.
        """
        path = self._path(key)
        unfinished = path.with_name(f"{key}.{secrets.token_hex(8)}{_UNFINISHED}")
        with _refusing_for_disk_trouble():
            try:
                await self._fill(unfinished, chunks)
                await asyncio.to_thread(_put_in_place, unfinished, path)
            finally:
                await asyncio.to_thread(unfinished.unlink, missing_ok=True)

    def open(self, key: str) -> StoredObject:
        """The object at `key`.

        Raises:
            NotFound: there is none.
            Unavailable: the disk does not work.
        """
        path = self._path(key)
        with _refusing_for_disk_trouble():
            try:
                file = path.open("rb")
            except FileNotFoundError as error:
                raise NotFound("There is no such object: it was never written, or has expired.") from error
            media_type = sniff(file.read(12)) or "application/octet-stream"
            file.seek(0)
            return StoredObject(file, os.fstat(file.fileno()).st_size, media_type)

    def erase(self, key: str) -> bool:
        """Removes the object at `key` for good; whether there was one.

        A write that is under way, or whose URL is still good, puts nothing there any more.

        Raises:
            Unavailable: the disk does not work.
        """
        path = self._path(key)
        with _refusing_for_disk_trouble():
            path.with_suffix(_ERASED).touch(0o600)  # first: whoever puts the object there afterwards looks for it
            return _removed(path)

    def sweep(self) -> None:
        """Removes objects that no URL can read any more, and what interrupted writes left. Call it now and then."""
        now = self._clock()
        for path in self._root.iterdir():
            lifetime = _lifetime(path)
            with suppress(OSError):  # another process sweeps, too; what cannot go now goes the next time
                if lifetime and path.stat().st_mtime + lifetime.total_seconds() < now:
                    path.unlink()

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise NotFound("There is no such object: its key is not one that this store handed out.")
        return self._root / key

    async def _fill(self, path: Path, chunks: AsyncIterable[bytes]) -> None:
        file = await asyncio.to_thread(path.open, "xb")
        try:
            size = 0
            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise BodyTooLarge(f"The object is larger than {self._max_bytes / 2**20:g} MB: send a smaller one.")
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(self._sync, file)
        finally:
            await asyncio.to_thread(file.close)

    def _query(self, method: str, key: str, now: float, lifetime: timedelta) -> str:
        expires = str(_expiry(now, lifetime))
        return urlencode({"expires": expires, "signature": self._signature(method, key, expires)})

    def _signature(self, method: str, key: str, expires: str) -> str:
        message = "\n".join((method, key, expires)).encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _expiry(now: float, lifetime: timedelta) -> int:
    return int(now + lifetime.total_seconds())


def _lifetime(path: Path) -> timedelta | None:
    """How long a file stays after its last change; for ever where it is none of ours."""
    if is_key(path.name):
        return READ_LIFETIME
    return WRITE_LIFETIME if path.suffix in {_UNFINISHED, _ERASED} else None


def _put_in_place(unfinished: Path, path: Path) -> None:
    unfinished.replace(path)
    if path.with_suffix(_ERASED).exists():
        _removed(path)
        raise NotFound("The object was erased: ask for the URLs of a new one.")


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _refusing_for_disk_trouble() -> Iterator[None]:
    """The caller cannot help it, so it is asked to come back; the operator finds the cause in the log."""
    try:
        yield
    except OSError as error:
        _log.exception("the object store's disk does not work")
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        reason = "is full" if full else "does not work at the moment"
        raise Unavailable(f"The object store's disk {reason}: try again later.", 60, "store") from error
