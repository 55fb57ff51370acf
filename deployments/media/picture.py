"""The one shape in which pictures travel between stages."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict

if TYPE_CHECKING:  # those who only pass pictures on need no network
    from deployments.media.egress import Egress


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture (PNG, JPEG or WebP): its bytes, or the URL at which they are. Exactly one is set."""

    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    data: bytes | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError("a Picture has either data or a url")

    async def read(self, egress: "Egress", max_bytes: int) -> bytes:
        """The encoded picture, fetched where it is elsewhere.

        Raises:
            FetchFailed: it cannot be had, or is larger than `max_bytes`.
        """
        if self.data is not None:
            return self.data
        assert self.url is not None  # noqa: S101 - exactly one of the two is set
        return await egress.fetch(self.url, max_bytes)
