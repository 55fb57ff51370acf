"""Puts a finished picture where its caller asked for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import stamina

from deployments.errors import FetchFailed, UploadFailed, UploadUrlExpired
from deployments.media import signed_urls
from deployments.media.destinations import NoAnswer, Refused, host_of
from deployments.media.egress import SERVER_ERROR, Egress, reason_for
from deployments.media.provenance.marks import without_manifest
from deployments.media.retry_after import pause_asked_for

CONTENT_TYPE = "image/png"
TRIES = 5
_SUCCESS, _REDIRECTION, _CLIENT_ERROR = 2, 3, 4
"""Classes of statuses: their first digits."""
_MANIFESTS_DIFFER_BY = 2**16
"""In bytes, at most, of one picture's: their signatures are padded to one length, and certificates change seldom."""
_TAKEN_ALREADY = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
"""How stores refuse to write over an object: those that never do, and those whose URL was signed on that condition."""

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

    @property
    def may_pass(self) -> bool:
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.status // 100 == SERVER_ERROR


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def upload(  # noqa: PLR0913 - what to put, from where to where, and until when
    egress: Egress,
    url: str,
    picture: bytes,
    *,
    deadline: float,
    read_url: str | None = None,
    now: Callable[[], datetime] = _utc_now,
) -> None:
    """PUTs `picture` (a PNG) to `url`; returns once the server has acknowledged it.

    At most `TRIES` tries, all within `deadline` seconds: connection errors, 429 and 5xx are tried again; an answer is
    waited for. A store that takes no second PUT has taken it if `picture` is what lies at `read_url`. The signature may
    be another one: that of an attempt whose process died.

    Raises:
        UploadUrlExpired: the URL's own signature has expired.
        UploadFailed: it was not taken, for any other reason.
    """
    uploading = _Upload(egress, url, picture, read_url, now)
    try:
        async with asyncio.timeout(deadline):
            await uploading.run()
    except _NotTaken as answer:
        raise _failure(url, answer.status, now()) from answer
    except TimeoutError as error:
        raise UploadFailed(_message(url, f"it did not take it within {deadline:g} seconds; try again later")) from error
    except (Refused, NoAnswer) as error:
        raise UploadFailed(_message(url, reason_for(error))) from error


@dataclass(slots=True)
class _Upload:
    """The tries of one upload. `answer_lost`: the server may have taken the picture without our knowing."""

    egress: Egress
    url: str
    picture: bytes
    read_url: str | None
    now: Callable[[], datetime]
    answer_lost: bool = False

    async def run(self) -> None:
        try:
            await _repeated(self._try_once)
        except (_NotTaken, UploadUrlExpired) as refusal:
            if not (self._may_be_there(refusal) and await self._is_there()):
                raise

    async def _try_once(self) -> None:
        if signed_urls.is_expired(self.url, self.now()):
            raise _expired(self.url)
        try:
            answer = await self.egress.put(self.url, self.picture, _headers(self.url))
        except NoAnswer as error:
            self.answer_lost |= error.sent
            raise
        self.answer_lost |= answer.status // 100 == SERVER_ERROR  # which a gateway may have said in the store's place
        if answer.status // 100 != _SUCCESS:
            raise _NotTaken(answer.status, answer.retry_after)

    def _may_be_there(self, refusal: _NotTaken | UploadUrlExpired) -> bool:
        """Whether the store may refuse because it has the picture: from a try whose answer was lost, or from an earlier
        attempt in a process that died.
        """
        if isinstance(refusal, UploadUrlExpired):
            return self.answer_lost
        return refusal.status in _TAKEN_ALREADY or (self.answer_lost and not refusal.may_pass)

    async def _is_there(self) -> bool:
        if self.read_url is None:
            return False
        try:
            found = await self.egress.fetch(self.read_url, len(self.picture) + _MANIFESTS_DIFFER_BY)
            return without_manifest(found) == without_manifest(self.picture)
        except FetchFailed:
            return False


def _headers(url: str) -> dict[str, str]:
    """What the stores ask for beside `Content-Length`."""
    headers = {"Content-Type": CONTENT_TYPE}
    if host_of(url).endswith(_AZURE_BLOB_HOSTS) or signed_urls.is_azures(url):
        headers["x-ms-blob-type"] = "BlockBlob"  # without it, Azure's Put Blob answers 400
    return headers


def _pause_after(error: Exception) -> bool | float:
    """Whether to try again after `error`, and after how many seconds where the server says so."""
    if not isinstance(error, _NotTaken):
        return isinstance(error, NoAnswer)
    return error.may_pass and pause_asked_for(error.retry_after)


_repeated = stamina.AsyncRetryingCaller(attempts=TRIES, timeout=None, wait_initial=1.0, wait_max=10.0).on(_pause_after)


def _failure(url: str, status: int, now: datetime) -> UploadFailed | UploadUrlExpired:
    if status == HTTPStatus.FORBIDDEN and signed_urls.is_expired(url, now):
        return _expired(url)
    if status // 100 == _REDIRECTION:
        return UploadFailed(_message(url, f"it answered {status}, a redirect; give the final address as writeUrl"))
    if status // 100 == _CLIENT_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
        return UploadFailed(_message(url, f"it answered {status}; check that writeUrl takes a PUT of {CONTENT_TYPE}"))
    return UploadFailed(_message(url, f"it still answered {status} after {TRIES} tries; try again later"))


def _expired(url: str) -> UploadUrlExpired:
    return UploadUrlExpired(_message(url, "writeUrl has expired; send the request again with a fresh one"))


def _message(url: str, reason: str) -> str:
    return f"The result could not be uploaded to {host_of(url)}: {reason}."
