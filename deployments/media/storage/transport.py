"""The built-in store without a network: how our own stages reach its URLs."""

import asyncio

import httpx

from deployments.errors import RequestRefused
from deployments.media.storage.base import ObjectStore
from deployments.media.storage.builtin import OBJECTS_PATH, BuiltinStore


class StoreTransport(httpx.AsyncBaseTransport):
    """Answers, in this process, requests for URLs that `store` has signed, as the API's routes would.

    Whatever host such a URL names, only we can have signed it, so no request goes to that host.
    """

    def __init__(self, store: BuiltinStore) -> None:
        self._store = store

    def owns(self, url: str) -> bool:
        """Whether we have signed `url`; also where it has expired, so that it ends as 403 and opens no connection."""
        if OBJECTS_PATH not in url:  # of nearly all URLs, this tells it at a hundredth of the cost
            return False
        parsed = httpx.URL(url)
        return any(self._store.has_signed(method, _key_of(parsed), parsed.params) for method in ("GET", "PUT"))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            self._store.verify(request.method, _key_of(request.url), request.url.params)
            return await self._answer(request)
        except RequestRefused as refusal:
            return httpx.Response(refusal.status, text=str(refusal))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        key = _key_of(request.url)
        if request.method == "PUT":
            assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 (an async client sends no other)
            await self._store.write(key, request.stream)
            return httpx.Response(200)
        found = await asyncio.to_thread(self._store.open, key)
        with found.file:
            content = await asyncio.to_thread(found.file.read) if request.method == "GET" else None
        headers = {"Content-Type": found.media_type, "Content-Length": str(found.size)}
        return httpx.Response(200, headers=headers, content=content)


def own_store(store: ObjectStore) -> StoreTransport | None:
    """How to reach `store` without the network, if it is the built-in one."""
    return StoreTransport(store) if isinstance(store, BuiltinStore) else None


def _key_of(url: httpx.URL) -> str:
    """What follows the objects' path in `url`, wherever a proxy has put the API; for other paths, nothing we sign."""
    return url.path.rpartition(OBJECTS_PATH)[2]
