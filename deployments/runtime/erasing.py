"""Erasure outside the journal: pictures in the built-in store, and what providers keep of requests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from deployments.engines.base import Engine
from deployments.errors import SettingsError
from deployments.media.storage import BuiltinStore, ObjectStore
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere
from deployments.tasks.receipts import own_part
from deployments.tasks.traces import SentRequest

logger = logging.getLogger(__name__)

PROVIDERS_SECONDS = 20
"""How long all providers together may take; what is not deleted by then counts as not deleted."""
AT_ONCE = 8
"""Requests that providers are asked to delete at once."""


class Erasing:
    """`make` makes an engine by its name in the settings, chosen or not."""

    def __init__(
        self, store: ObjectStore, make: Callable[[str], Engine], providers_s: float = PROVIDERS_SECONDS
    ) -> None:
        self._store = store
        self._make = make
        self._providers_s = providers_s
        self._engines: dict[str, Engine | None] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def erase(self, what: Elsewhere) -> ErasedElsewhere:
        """Erases what can be erased, and says what was."""
        deleting = asyncio.create_task(self._deleted(what.requests))
        objects = await asyncio.to_thread(self._erase_objects, what.objects)
        return ErasedElsewhere(objects, await deleting)

    def _erase_objects(self, keys: Iterable[str]) -> int:
        """How many were there. A bucket of the operator's, or a caller's, has rules of its own."""
        return sum(self._store.erase(key) for key in keys) if isinstance(self._store, BuiltinStore) else 0

    async def _deleted(self, requests: Iterable[SentRequest]) -> frozenset[SentRequest]:
        asking = {asyncio.create_task(self._is_deleted(request)): request for request in requests}
        if not asking:
            return frozenset()
        done, late = await asyncio.wait(asking, timeout=self._providers_s)
        for one in late:
            one.cancel()
        return frozenset(asking[one] for one in done if one.result())

    async def _is_deleted(self, request: SentRequest) -> bool:
        """Whether the engine says that its provider has deleted what it keeps of the request."""
        engine = self._engine(request.engine)
        erase = cast(Callable[[str], Awaitable[bool]] | None, getattr(engine, "erase", None))
        if erase is None:
            return False
        async with self._room:
            try:
                return await erase(own_part(request.engine, request.receipt))
            except Exception as error:
                logger.warning("%s could not delete a request: %s.", request.engine, type(error).__name__)
                return False

    def _engine(self, name: str) -> Engine | None:
        """None where it cannot be made any more: its key is gone, say."""
        if name not in self._engines:
            try:
                self._engines[name] = self._make(name)
            except SettingsError as error:
                logger.warning("The engine %s cannot delete what its provider keeps: %s", name, error)
                self._engines[name] = None
        return self._engines[name]
