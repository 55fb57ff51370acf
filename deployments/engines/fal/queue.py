"""fal's queue, as far as one request goes through it: submit, look, cancel.

fal-client repeats up to ten times whatever went wrong, and sends no idempotency key: repeated, a submit whose answer
was lost is paid twice. So the submit is our own single POST, sent by fal-client's own httpx client, which every handle
holds: its key, its hosts and its fallback domain apply. Status and cancel, which may be repeated, are fal-client's.

A receipt is `ENDPOINT/requests/REQUEST_ID` (recorded as `fal:…`): all that it takes to find a request again, whatever
is configured by then.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid5

import httpx
from fal_client import AsyncClient, AsyncRequestHandle, Completed, FalClientHTTPError, InProgress, Queued, Status
from fal_client.client import QUEUE_URL_FORMAT
from pydantic import BaseModel, Field, JsonValue
from pydantic_core import from_json

from deployments.engines.fal import errors
from deployments.engines.httpx_errors import TROUBLE
from deployments.engines.submits import NotTaken
from deployments.errors import EngineError

LOOK_S = 30.0
"""How long one look may take, fal-client's own retries included."""
PAYLOADS_URL = "https://api.fal.ai/v1/models/requests/{}/payloads"
_ERASURES = UUID("0c6f5f0e-8f0b-4a43-9d9c-2f6a6d1f0b7a")
"""Of idempotency keys (RFC 9562, 5.5); never changes."""
_REQUESTS = "/requests/"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TROUBLE: tuple[type[Exception], ...] = (*TROUBLE, LookupError, TypeError)
"""No answer, or one that fal-client cannot read."""


class _DeletedFile(BaseModel):
    """Of a file that was to be deleted: what went wrong, if anything did."""

    exception: JsonValue = None


class _Deleted(BaseModel):
    """What fal answers where it has deleted a request's payloads (docs.fal.ai, platform APIs, request payloads)."""

    cdn_delete_results: list[_DeletedFile] = []


class _Accepted(BaseModel):
    """What fal answers to a submit, as far as it is needed."""

    request_id: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model answered, be it a result or an error, and its JSON; None where an error has none."""

    response: httpx.Response
    body: JsonValue


class FalQueue:
    """`store_io`, `keep_files_s` and `submit_s`: see `FalOptions`. A look longer than `look_s` seconds is given up."""

    def __init__(
        self,
        fal: AsyncClient,
        *,
        store_io: bool,
        keep_files_s: int | None,
        submit_s: float = 60,
        look_s: float = LOOK_S,
    ) -> None:
        self._fal = fal
        self.submit_s = submit_s
        self._look_s = look_s
        self._headers: dict[str, str] = {} if store_io else {"X-Fal-Store-IO": "0"}
        if keep_files_s is not None:
            lifetime = json.dumps({"expiration_duration_seconds": keep_files_s})
            self._headers["X-Fal-Object-Lifecycle-Preference"] = lifetime

    async def submit(self, endpoint: str, arguments: Mapping[str, JsonValue], setting: str) -> str:
        """Sends one POST, whatever becomes of it, and returns the receipt.

        Raises:
            TaskFailed: fal certainly did not take the request; `NotTaken`, if it is worth another try.
            Exception: nobody knows whether fal took it.
        """
        http = (await self._fal.get_handle(endpoint, "")).client
        try:
            response = await http.post(f"{QUEUE_URL_FORMAT}{endpoint}", json=arguments, headers=self._headers)
        except _NEVER_SENT as error:
            raise NotTaken("fal.ai cannot be reached: try again later.", "it cannot be reached") from error
        if errors.is_busy(response):
            retry_after = response.headers.get("Retry-After", "")
            busy = "takes no more requests at the moment"
            raise NotTaken(f"fal.ai {busy}: try again later.", f"it {busy}", retry_after)
        if _is_refusal(response):
            raise errors.refusal_of(response, endpoint, setting)
        if (failure := errors.breakdown_of(response, endpoint, setting)) is not None:
            raise failure
        response.raise_for_status()
        return receipt_of(endpoint, _Accepted.model_validate_json(response.content).request_id)

    async def look(self, receipt: str, report: Callable[[str], None]) -> ModelAnswer | None:
        """What became of the request; or None: nothing yet, or something on the way is in trouble."""
        with suppress(*_TROUBLE):
            async with asyncio.timeout(self._look_s):
                return await _outcome(await self._handle(receipt), report)
        return None

    async def cancel(self, receipt: str) -> None:
        """Asks fal not to run the request, or to stop.

        Raises:
            FalClientError, httpx.HTTPError: fal has not done so; it may have been too late.
        """
        await (await self._handle(receipt)).cancel()

    async def erase(self, receipt: str) -> bool:
        """Has fal delete what it keeps of a request: its payloads, and the files that the model made.

        Files that were sent to it go by their own lifetime (`keep_files_s`). The key must be one that may do this.

        Returns:
            Whether fal says that it has done so.
        """
        handle = await self._handle(receipt)
        key = str(uuid5(_ERASURES, handle.request_id))  # asked again, fal answers the same
        response = await handle.client.delete(PAYLOADS_URL.format(handle.request_id), headers={"Idempotency-Key": key})
        if not response.is_success:
            return False
        deleted = _Deleted.model_validate_json(response.content)
        return all(file.exception is None for file in deleted.cdn_delete_results)

    async def _handle(self, receipt: str) -> AsyncRequestHandle:
        return await self._fal.get_handle(endpoint_of(receipt), receipt.rpartition(_REQUESTS)[2])


def receipt_of(endpoint: str, request_id: str) -> str:
    return f"{endpoint}{_REQUESTS}{request_id}"


def endpoint_of(receipt: str) -> str:
    """The model that the request went to.

    Raises:
        EngineError: it is no receipt of fal's, so that asking for it would be in vain.
    """
    endpoint, _, number = receipt.rpartition(_REQUESTS)
    if not endpoint or not number or ":" in endpoint:
        raise EngineError("What was paid for is no request of fal.ai's: it was made by another engine.")
    return endpoint


def _is_refusal(response: httpx.Response) -> bool:
    """Whether fal itself says no. A 408, like a gateway's 5xx, leaves open whether it took the request."""
    is_no = response.is_client_error or response.is_redirect
    return is_no and response.status_code != httpx.codes.REQUEST_TIMEOUT


async def _outcome(handle: AsyncRequestHandle, report: Callable[[str], None]) -> ModelAnswer | None:
    try:
        status = await handle.status(with_logs=True)
    except FalClientHTTPError as error:
        return ModelAnswer(error.response, None) if errors.ends_the_wait(error.response) else None
    if not isinstance(status, Completed):
        report(_progress(status))
        return None
    # Not `handle.get()`: it asks for the status once more, and drops the headers, which hold the bill.
    response = await handle.client.get(handle.response_url)
    if response.is_success:
        return ModelAnswer(response, from_json(response.content))  # a gateway's page is no JSON: a ValueError
    body = errors.json_in(response)
    return ModelAnswer(response, body) if errors.is_outcome(response, body, failed=bool(status.error)) else None


def _progress(status: Status) -> str:
    match status:
        case Queued(position=int(position)):
            return f"Number {position + 1} in fal.ai's queue."
        case InProgress(logs=[*_, {"message": str(message)}]) if text := errors.shown(message):
            return f"The image model is at work: {text}."
    return "The image model is at work."
