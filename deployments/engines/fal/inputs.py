"""Pictures on their way into a model: as a URL that fal can open, as a data URI, or through fal's storage."""

import asyncio
from collections.abc import Sequence

from fal_client import AsyncClient, FalClientError, StorageSettings, encode

from deployments.engines.httpx_errors import TROUBLE
from deployments.engines.ready import made_ready
from deployments.errors import EngineError
from deployments.media.destinations import AllowedHosts, Refused, check_url, origin_of
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.storage.builtin import OBJECTS_PATH

INLINE_BYTES = 4_000_000
"""All data URIs of one request together: fal takes them in any size, but slowly."""
_TROUBLE: tuple[type[Exception], ...] = (FalClientError, *TROUBLE, LookupError, TypeError)
"""What comes of an answer that fal-client does not like, or cannot read."""


class Inputs:
    """Makes pictures ready for fal. `allow` are the hosts that only this network reaches; `keep_files_s` in seconds."""

    def __init__(
        self, fal: AsyncClient, egress: Egress, limits: PictureLimits, allow: AllowedHosts, keep_files_s: int | None
    ) -> None:
        self._fal = fal
        self._egress = egress
        self._limits = limits
        self._allow = allow
        self._lifecycle = StorageSettings(expires_in=keep_files_s)

    async def urls(self, pictures: Sequence[Picture], longest_side: int | None) -> list[str]:
        """A URL for each picture; what is not public is shrunk to `longest_side` pixels, if one is given.

        Raises:
            FetchFailed, InvalidImage: a picture cannot be had, or is none.
            EngineError: an engine's own picture cannot be had; fal's storage does not take it.
        """
        room = INLINE_BYTES // max(1, len(pictures))
        return list(await asyncio.gather(*(self._url(picture, longest_side, room) for picture in pictures)))

    def hands_on_links(self, pictures: Sequence[Picture]) -> bool:
        """Whether fal is to open a link of the caller's own."""
        return any(
            picture.url is not None and not picture.of_engine and is_public(picture.url, self._allow)
            for picture in pictures
        )

    async def _url(self, picture: Picture, longest_side: int | None, room: int) -> str:
        if picture.url is not None and is_public(picture.url, self._allow):
            return picture.url
        data = await picture.read(self._egress, self._limits.bytes)
        content, media_type = await asyncio.to_thread(made_ready, data, self._limits, longest_side)
        uri = encode(content, media_type)
        return uri if len(uri) <= room else await self._stored(content, media_type)

    async def _stored(self, content: bytes, media_type: str) -> str:
        try:
            return await self._fal.upload(content, media_type, lifecycle=self._lifecycle)
        except _TROUBLE as error:
            raise EngineError("A picture could not be handed to fal.ai: try again, or send a smaller one.") from error


def is_public(url: str, allow: AllowedHosts) -> bool:
    """Whether fal can open `url`, as far as its text tells: our own store's name, too, may be known here only."""
    try:
        check_url(url)
        return url.lower().startswith("https:") and OBJECTS_PATH not in url and origin_of(url) not in allow
    except Refused:
        return False
