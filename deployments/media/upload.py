"""Puts a finished picture where its caller asked for it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import stamina

from deployments.errors import UploadFailed, UploadUrlExpired
from deployments.media import signed_urls
from deployments.media.destinations import Refused, host_of
from deployments.media.egress import Egress, reason_for

CONTENT_TYPE = "image/png"
TRIES = 5
LONGEST_PAUSE = 30.0
"""In seconds: what a server asks for beyond it, in `Retry-After`, is not waited for."""

_AZURE_BLOB_HOSTS = (
    ".blob.core.windows.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
)


class _NotTaken(Exception):
    """The server's answer was not a success. It holds no URL: retries are logged."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(status, retry_after)
        self.status = status
        self.retry_after = retry_after


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def upload(
    egress: Egress,
    url: str,
    picture: bytes,
    *,
    deadline: float,
    now: Callable[[], datetime] = _utc_now,
) -> None:
    """PUTs `picture` (a PNG) to `url`; returns once the server has acknowledged it.

    At most `TRIES` tries, all within `deadline` seconds: connection errors, 429 and 5xx are tried again.

    Raises:
        UploadUrlExpired: the URL's own signature has expired.
        UploadFailed: it was not taken, for any other reason.
    """
    try:
        async with asyncio.timeout(deadline):
            async for attempt in stamina.retry_context(
                _pause_after, attempts=TRIES, timeout=None, wait_initial=1.0, wait_max=10.0
            ):
                with attempt:
                    await _try_once(egress, url, picture, now())
    except _NotTaken as answer:
        raise _failure(url, answer.status, now()) from answer
    except TimeoutError as error:
        raise UploadFailed(_message(url, f"it did not take it within {deadline:g} seconds; try again later")) from error
    except (Refused, httpx.TransportError) as error:
        raise UploadFailed(_message(url, reason_for(error))) from error


async def _try_once(egress: Egress, url: str, picture: bytes, now: datetime) -> None:
    if signed_urls.is_expired(url, now):
        raise _expired(url)
    response = await egress.put(url, picture, _headers(url))
    if not response.is_success:
        raise _NotTaken(response.status_code, response.headers.get("Retry-After", ""))


def _headers(url: str) -> dict[str, str]:
    """What the stores ask for beside `Content-Length`, which httpx sets for bytes (S3 refuses chunked encoding)."""
    headers = {"Content-Type": CONTENT_TYPE}
    if host_of(url).endswith(_AZURE_BLOB_HOSTS):
        headers["x-ms-blob-type"] = "BlockBlob"  # without it, Azure's Put Blob answers 400
    return headers


def _pause_after(error: Exception) -> bool | float:
    """Whether to try again after `error`, and after how many seconds where the server says so (RFC 9110, 10.2.3)."""
    if not isinstance(error, _NotTaken):
        return isinstance(error, httpx.TransportError)
    if error.status != httpx.codes.TOO_MANY_REQUESTS and not httpx.codes.is_server_error(error.status):
        return False
    seconds = error.retry_after
    return float(seconds) if seconds.isdecimal() and float(seconds) <= LONGEST_PAUSE else True


def _failure(url: str, status: int, now: datetime) -> UploadFailed | UploadUrlExpired:
    if status == httpx.codes.FORBIDDEN and signed_urls.is_expired(url, now):
        return _expired(url)
    if httpx.codes.is_redirect(status):
        return UploadFailed(_message(url, f"it answered {status}, a redirect; give the final address as writeUrl"))
    if httpx.codes.is_client_error(status) and status != httpx.codes.TOO_MANY_REQUESTS:
        return UploadFailed(_message(url, f"it answered {status}; check that writeUrl takes a PUT of {CONTENT_TYPE}"))
    return UploadFailed(_message(url, f"it still answered {status} after {TRIES} tries; try again later"))


def _expired(url: str) -> UploadUrlExpired:
    return UploadUrlExpired(_message(url, "writeUrl has expired; send the request again with a fresh one"))


def _message(url: str, reason: str) -> str:
    return f"The result could not be uploaded to {host_of(url)}: {reason}."
