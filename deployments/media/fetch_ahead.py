"""Pictures that are fetched while an engine works: it may be content with URLs, but manifests are wanted too."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployments.media.picture import Picture

if TYPE_CHECKING:
    from deployments.media.egress import Egress


@dataclass(frozen=True, slots=True)
class FetchedAhead(Picture):
    """A picture at a URL. Whoever reads it waits for the one fetch that is under way; it stays in its process."""

    fetch: "asyncio.Task[bytes] | None" = field(default=None, compare=False, repr=False)

    async def read(self, egress: "Egress", max_bytes: int) -> bytes:
        """See `Picture.read`."""
        if self.fetch is None:
            return await Picture.read(self, egress, max_bytes)
        return await asyncio.shield(self.fetch)

    async def within(self, seconds: float) -> bytes | None:
        """The bytes, if they are there within so long; None, too, where they cannot be had."""
        if self.fetch is None:
            return None
        await asyncio.wait({self.fetch}, timeout=seconds)
        had = self.fetch.done() and not self.fetch.cancelled() and self.fetch.exception() is None
        return self.fetch.result() if had else None


@asynccontextmanager
async def fetched_ahead(
    pictures: Sequence[Picture], egress: "Egress", max_bytes: int
) -> AsyncIterator[Sequence[Picture]]:
    """The same pictures, of which those at URLs are fetched meanwhile. What is not there at the end is given up."""
    fetches = {at: asyncio.create_task(p.read(egress, max_bytes)) for at, p in enumerate(pictures) if p.data is None}
    try:
        yield [
            FetchedAhead(url=picture.url, of_engine=picture.of_engine, fetch=fetches[at]) if at in fetches else picture
            for at, picture in enumerate(pictures)
        ]
    finally:
        for fetch in fetches.values():
            fetch.cancel()
        await asyncio.gather(*fetches.values(), return_exceptions=True)


async def at_hand(picture: Picture, seconds: float) -> bytes | None:
    """The picture's bytes, where they are here or come within so long."""
    return await picture.within(seconds) if isinstance(picture, FetchedAhead) else picture.data


def plain(picture: Picture) -> Picture:
    """The picture as it may leave its process."""
    return Picture(url=picture.url, of_engine=picture.of_engine) if isinstance(picture, FetchedAhead) else picture
