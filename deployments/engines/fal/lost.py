"""A submit whose answer was lost: fal's list of requests may still tell its id.

The list (docs.fal.ai, platform APIs, requests by endpoint) shows a request once it has ended. It shows the arguments
only if fal keeps them. So AIGE asks for a while, and takes a request with exactly the same arguments for its own. If
several match, AIGE takes none. If none matches, the request may still exist.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from fal_client import AsyncClient
from pydantic import BaseModel, JsonValue

from deployments.engines.httpx_errors import TROUBLE
from deployments.engines.submits import Sleep, growing_pauses

logger = logging.getLogger(__name__)

LIST_URL = "https://api.fal.ai/v1/models/requests/by-endpoint"
LOOK_FOR_S = 90.0
"""For longer than models usually take."""
_CLOCKS_APART = timedelta(seconds=60)
_PAGES = 10
_REFUSED = frozenset({401, 403})


class _Item(BaseModel):
    request_id: str
    json_input: JsonValue = None


class _Page(BaseModel):
    items: list[_Item]
    next_cursor: str | None = None
    has_more: bool = False


class LostRequests:
    """Looks for requests for `look_for_s` seconds; `sleep` passes the time between two looks."""

    def __init__(self, fal: AsyncClient, sleep: Sleep, look_for_s: float = LOOK_FOR_S) -> None:
        self._fal = fal
        self._sleep = sleep
        self._look_for_s = look_for_s

    async def find(
        self, endpoint: str, arguments: Mapping[str, JsonValue], at: datetime, submit_s: float
    ) -> str | None:
        """The id of the one request with these arguments that was sent within `submit_s` of `at`; None if none is."""
        waited = 0.0
        for pause in growing_pauses():
            try:
                found = await self._matching(endpoint, arguments, at, submit_s)
            except PermissionError:
                logger.warning("fal.ai does not tell this key which requests there are: see `find_lost`.")
                return None
            except TROUBLE as error:
                logger.info("fal.ai's list of requests could not be had: %s", type(error).__name__)
                found = set()
            if len(found) == 1:
                return found.pop()
            if found or waited >= self._look_for_s:
                return None
            await self._sleep(pause)
            waited += pause
        raise AssertionError("there is always another pause")

    async def _matching(
        self, endpoint: str, arguments: Mapping[str, JsonValue], at: datetime, submit_s: float
    ) -> set[str]:
        http = (await self._fal.get_handle(endpoint, "")).client
        parameters = {
            "endpoint_id": endpoint,
            "start": (at - _CLOCKS_APART).isoformat(),
            "end": (at + timedelta(seconds=submit_s) + _CLOCKS_APART).isoformat(),
            "expand": "payloads",
            "limit": "100",
        }
        found: set[str] = set()
        for _ in range(_PAGES):
            response = await http.get(LIST_URL, params=parameters)
            if response.status_code in _REFUSED:
                raise PermissionError
            page = _Page.model_validate_json(response.raise_for_status().content)
            found |= {item.request_id for item in page.items if item.json_input == arguments}
            if not page.has_more or page.next_cursor is None:
                break
            parameters["cursor"] = page.next_cursor
        return found
