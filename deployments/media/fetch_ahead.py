"""Pictures that are fetched while an engine works: it may be content with URLs, but manifests are wanted too."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
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

    @property
    def at_hand(self) -> bytes | None:
        """The bytes, if they are there; None, too, where they cannot be had."""
        fetch = self.fetch
        if fetch is None or not fetch.done() or fetch.cancelled() or fetch.exception() is not None:
            return None
        return fetch.result()


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


async def at_hand(pictures: Collection[Picture], seconds: float) -> list[bytes | None]:
    """The bytes of each picture that is here, or comes within so long: all of them together are waited for."""
    if coming := {p.fetch for p in pictures if isinstance(p, FetchedAhead) and p.fetch is not None}:
        await asyncio.wait(coming, timeout=seconds)
    return [picture.at_hand if isinstance(picture, FetchedAhead) else picture.data for picture in pictures]


def plain(picture: Picture) -> Picture:
    """The picture as it may leave its process."""
    return Picture(url=picture.url, of_engine=picture.of_engine) if isinstance(picture, FetchedAhead) else picture
