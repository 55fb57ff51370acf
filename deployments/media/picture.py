"""The one shape in which pictures travel between stages."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict

from deployments.errors import EngineError, FetchFailed

if TYPE_CHECKING:  # those who only pass pictures on need no network
    from deployments.media.egress import Egress

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture (PNG, JPEG or WebP): its bytes, or the URL at which they are. Exactly one is set.

    `of_engine`: an engine made it, so its URL is the provider's, and its caller can do nothing about it.
    """

    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    data: bytes | None = None
    url: str | None = None
    of_engine: bool = False

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError("a Picture has either data or a url")

    async def read(self, egress: "Egress", max_bytes: int) -> bytes:
        """The encoded picture, fetched where it is elsewhere.

        Raises:
            FetchFailed: it cannot be had, or is larger than `max_bytes`.
            EngineError: the same, of a picture that an engine made.
        """
        if self.data is not None:
            return self.data
        assert self.url is not None  # noqa: S101 - exactly one of the two is set
        try:
            return await egress.fetch(self.url, max_bytes)
        except FetchFailed as error:
            if not self.of_engine:
                raise
            logger.warning("An engine's picture could not be had: %s", error)  # its host is for the operator alone
            raise EngineError("The image model's picture could not be loaded from its provider: try again.") from error
