"""What a task leaves behind beyond its record, and which pictures it was made of: all that its erasure has to know.

A task's work, which names its URLs, is dropped when the task ends. So its entry keeps these from the beginning.
"""

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

from deployments.media.signed_urls import unsigned_query

MOST_RECEIPT = 500
"""Characters. Some engines' receipts hold a whole picture: of such a one, a digest is kept."""

_OBJECT = re.compile(r"/api/v1/storage/objects/([0-9a-f]{32})$")


@dataclass(frozen=True)
class SentRequest:
    """A request to a provider: the engine that sent it, by its name in the settings, and the receipt."""

    engine: str
    receipt: str


@dataclass(frozen=True)
class Traces:
    """`objects` are the keys of its pictures in the built-in store: of its result and of those that it was made of.
    `sources` are the places of the pictures that it was made of, and `requests` what was sent to providers.
    """

    objects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    requests: tuple[SentRequest, ...] = ()

    def sent(self, engine: str, receipt: str) -> Self:
        """With one more request."""
        if len(receipt) > MOST_RECEIPT:
            receipt = f"{engine}:sha256-{sha256(receipt.encode()).hexdigest()}"
        request = SentRequest(engine, receipt)
        return self if request in self.requests else replace(self, requests=(*self.requests, request))


NO_TRACES = Traces()


def place_of(url: str) -> str:
    """Where a picture lies, whoever signed the URL and when: its key in the built-in store, or else host and path.

    And a digest of what else of the query tells it from others: there may be a token in it that opens the picture.
    """
    parts = urlsplit(url)
    if (found := _OBJECT.search(parts.path)) is not None:
        return found[1]
    place = f"{parts.netloc.lower()}{parts.path}"
    query = unsigned_query(parts.query)
    return f"{place}?{sha256(query.encode()).hexdigest()[:32]}" if query else place
