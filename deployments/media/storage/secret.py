"""The secret that signs the built-in store's URLs."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deployments.errors import SettingsError

_BYTES = 32

Link = Callable[[str, Path], None]


def load_or_create_secret(path: Path, given: str | None, link: Link = os.link) -> bytes:
    """`given` (AIGE_STORAGE_SECRET) where it is set, else what `path` holds, made once: URLs must survive a restart.

    `link` makes a hard link.

    Raises:
        SettingsError: the file cannot be made or read, or holds too little.
    """
    if given:
        return given.encode()
    try:
        if not path.exists():
            _create(path, link)
        secret = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}; set AIGE_DATA_DIR or AIGE_STORAGE_SECRET."
        ) from error
    if len(secret) < _BYTES:
        raise SettingsError(f"{path} holds no secret: delete it, or set AIGE_STORAGE_SECRET.")
    return secret


def _create(path: Path, link: Link) -> None:
    """Makes the file whole or not at all; where two processes do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
    secret = secrets.token_bytes(_BYTES)
    try:
        _write(descriptor, secret)
        try:
            link(temporary, path)  # unlike a rename, never over what is there
        except FileExistsError:
            pass
        except OSError:  # FAT, exFAT and many shared folders have no hard links
            with suppress(FileExistsError):
                _create_in_place(path, secret)
    finally:
        Path(temporary).unlink()


def _create_in_place(path: Path, secret: bytes) -> None:
    """The first one's stays here too; for a moment, others see less than all of it, and start again."""
    _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), secret)


def _write(descriptor: int, secret: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(descriptor)
