"""The built-in store without a network: how our own stages reach its URLs."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

from deployments.errors import RequestRefused
from deployments.media.destinations import Found
from deployments.media.storage.base import ObjectStore
from deployments.media.storage.builtin import OBJECTS_PATH, BuiltinStore


class StoreTransport:
    """Answers, in this process, requests for URLs that `store` has signed, with the statuses of the API's routes.

    Whatever host such a URL names, only we can have signed it, so no request goes to that host.
    """

    def __init__(self, store: BuiltinStore) -> None:
        self._store = store

    def owns(self, url: str) -> bool:
        """Whether we have signed `url`; also where it has expired, so that it ends as 403 and opens no connection."""
        if OBJECTS_PATH not in url:  # of nearly all URLs, this tells it at a hundredth of the cost
            return False
        key, query = _read(url)
        return any(self._store.has_signed(method, key, query) for method in ("GET", "PUT"))

    async def get(self, url: str) -> Found:
        key, query = _read(url)
        try:
            self._store.verify("GET", key, query)
            found = await asyncio.to_thread(self._store.open, key)
        except RequestRefused as refusal:
            return Found(refusal.status)
        with found.file:
            return Found(200, await asyncio.to_thread(found.file.read))

    async def put(self, url: str, body: bytes) -> int:
        key, query = _read(url)
        try:
            self._store.verify("PUT", key, query)
            await self._store.write(key, _whole(body))
        except RequestRefused as refusal:
            return refusal.status
        return 200


def own_store(store: ObjectStore) -> StoreTransport | None:
    """How to reach `store` without the network, if it is the built-in one."""
    return StoreTransport(store) if isinstance(store, BuiltinStore) else None


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _read(url: str) -> tuple[str, dict[str, str]]:
    """The key and the query of `url`. The key follows the objects' path, wherever a proxy has put the API."""
    parts = urlsplit(url)
    return parts.path.rpartition(OBJECTS_PATH)[2], dict(parse_qsl(parts.query))
