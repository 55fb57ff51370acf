"""The secret that signs the built-in store's URLs."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from deployments.errors import SettingsError

_BYTES = 32


def load_or_create_secret(path: Path, given: str | None) -> bytes:
    """`given` (AIGE_STORAGE_SECRET) where it is set, else what `path` holds, made once: URLs must survive a restart.

    Raises:
        SettingsError: the file cannot be made or read, or holds too little.
    """
    if given:
        return given.encode()
    try:
        if not path.exists():
            _create(path)
        secret = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}; set AIGE_DATA_DIR or AIGE_STORAGE_SECRET."
        ) from error
    if len(secret) < _BYTES:
        raise SettingsError(f"{path} holds no secret: delete it, or set AIGE_STORAGE_SECRET.")
    return secret


def _create(path: Path) -> None:
    """Makes the file whole or not at all; where two processes do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            path.hardlink_to(temporary)  # unlike a rename, never over what is there
    finally:
        Path(temporary).unlink()
