"""Where clients without a store of their own keep pictures: pre-signed URLs, and the built-in store behind them.

`deployments.media.storage.s3` is not imported here, so that boto3 stays out of processes that do without it.
"""

from deployments.media.storage.base import ObjectStore, Presigned
from deployments.media.storage.builtin import BuiltinStore, StoredObject
from deployments.media.storage.secret import load_or_create_secret
from deployments.media.storage.transport import StoreTransport, own_store

__all__ = [
    "BuiltinStore",
    "ObjectStore",
    "Presigned",
    "StoreTransport",
    "StoredObject",
    "load_or_create_secret",
    "own_store",
]
