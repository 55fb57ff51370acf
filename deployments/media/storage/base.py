"""What an object store is: somewhere that hands out pre-signed URLs."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from deployments.errors import InvalidRequest

WRITE_LIFETIME = timedelta(hours=1)
READ_LIFETIME = timedelta(days=7)
"""Also the longest that S3's own signatures may last."""

# Only what we hand out, which is a safe file name everywhere: no case to fold, no dots, no reserved names.
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Presigned:
    """An object's key, which is as secret as its URLs, and those; the write URL takes PUTs until `expires_at` (UTC)."""

    key: str
    write_url: str
    read_url: str
    expires_at: datetime


class ObjectStore(Protocol):
    """Hands out URLs, at once and without asking anyone."""

    def presign(self, key: str | None, base_url: str) -> Presigned:
        """Fresh URLs for the object at `key`, or for a new one; `base_url` is where clients reach this service.

        Raises:
            InvalidRequest: `key` is none that a store handed out.
        """
        ...


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key."""
    return _KEY.fullmatch(text) is not None


def checked_key(key: str | None) -> str:
    """`key`, or for None a new one, which nobody can guess.

    Raises:
        InvalidRequest: it does not have the form of a key.
    """
    if key is None:
        return secrets.token_hex(16)
    if not is_key(key):
        raise InvalidRequest("The key is not one that this store handed out.", ("body", "key"))
    return key
