"""The object store's routes: pre-signing for clients that have no store of their own, and the built-in store itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from deployments.api.answers import PresignResponse
from deployments.api.json_body import JsonRoute, while_it_comes
from deployments.api.models import PresignRequest
from deployments.api.openapi import problems_of
from deployments.errors import NotFound
from deployments.media.storage import BuiltinStore, ObjectStore, StoredObject

logger = logging.getLogger(__name__)

_SAFELY = {
    # Stored bytes come from strangers and share our origin: a browser must never run them.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "none",
}

_PIECE_BYTES = 2**18
_SWEEP_EVERY_S = 3600

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OF_PRESIGNED_URL = [
    {"name": name, "in": "query", "required": True, "description": "As handed out.", "schema": {"type": "string"}}
    for name in ("expires", "signature")
]
_WRITE: dict[str, Any] = {
    "parameters": _OF_PRESIGNED_URL,
    "requestBody": {"required": True, "content": {"*/*": _BINARY}},
}
_READ: dict[str, Any] = {"parameters": _OF_PRESIGNED_URL}
_READ_CONTENT = dict.fromkeys(("image/png", "image/jpeg", "image/webp", "application/octet-stream"), _BINARY)


class _Opened(Response):
    """An object as it was opened: the whole of it, whatever part is asked for and whatever is written over it."""

    def __init__(self, found: StoredObject) -> None:
        self._file = found.file
        super().__init__(media_type=found.media_type, headers={**_SAFELY, "Content-Length": str(found.size)})

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        with self._file:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await asyncio.to_thread(self._file.read, _PIECE_BYTES):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})


def storage_routes(store: ObjectStore, public_url: str | None) -> APIRouter:
    """The router of `/storage`; `public_url` is where clients reach this server (None: wherever they just did)."""
    router = APIRouter(prefix="/storage", tags=["storage"], route_class=JsonRoute)

    @router.post("/presign", responses=problems_of(400, 401, 413))
    async def presign(request: Request, body: PresignRequest | None = None) -> PresignResponse:
        """A new object's URLs, or fresh ones for an object that is there: an hour to PUT, a week to GET."""
        base_url = public_url or str(request.base_url).rstrip("/")
        signed = store.presign(body.key if body else None, base_url)
        return PresignResponse(
            key=signed.key, writeUrl=signed.write_url, readUrl=signed.read_url, expires_at=signed.expires_at
        )

    def builtin() -> BuiltinStore:
        if not isinstance(store, BuiltinStore):
            raise NotFound("This server keeps its objects in a bucket, not here.")
        return store

    @router.put(
        "/objects/{key}",
        responses=problems_of(400, 403, 404, 413, 503),
        response_class=Response,
        openapi_extra=_WRITE,
    )
    async def write_object(key: str, request: Request) -> Response:
        """Stores the body at a pre-signed write URL."""
        builtin().verify("PUT", key, request.query_params)
        await builtin().write(key, _chunks(request))
        return Response(status_code=200)

    @router.get(
        "/objects/{key}",
        status_code=200,
        responses={200: {"content": _READ_CONTENT}, **problems_of(403, 404, 503)},
        response_class=_Opened,
        openapi_extra=_READ,
    )
    async def read_object(key: str, request: Request) -> Response:
        """The object at a pre-signed read URL."""
        builtin().verify("GET", key, request.query_params)
        return _Opened(await asyncio.to_thread(builtin().open, key))

    return router


def sweeping(
    store: ObjectStore, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan in which expired objects leave the built-in store every hour; a bucket has rules of its own."""

    async def sweep_now_and_then(builtin: BuiltinStore) -> None:
        while True:
            try:
                await asyncio.to_thread(builtin.sweep)
            except OSError:  # too many open files, a file system that is away: the next time may do
                logger.exception("the object store could not be swept")
            await sleep(_SWEEP_EVERY_S)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(sweep_now_and_then(store)) if isinstance(store, BuiltinStore) else None
        yield
        if sweeper:
            sweeper.cancel()

    return lifespan


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    with while_it_comes():
        async for chunk in request.stream():
            yield chunk
