"""From fal's error answers to the failures that a task's caller reads.

A model's own error is `{"detail": [{"type", "msg", ...}]}`; fal's is `{"detail": "...", "error_type": "..."}`, its type
also in the header `X-Fal-Error-Type`. Of all that, a message repeats only the reason, and that without URLs and hosts.
"""

import math
import re

import httpx
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import from_json

from deployments.engines import words
from deployments.errors import (
    ContentRejected,
    EngineError,
    EngineTimeout,
    FetchFailed,
    InvalidImage,
    NoPersonFound,
    NotCharged,
    TaskFailed,
)

_HOSTS = re.compile(r"\bfal\.(?:ai|dev|media|run)\b|\bfalrun\.com\b", re.IGNORECASE)
_TRY_LATER = frozenset({408, 425, 429})
_KEY_REFUSED = frozenset({401, 402, 403})
_GONE = frozenset({404, 410})
_ERROR_TYPE = "X-Fal-Error-Type"
_REQUEST_ID = "X-Fal-Request-Id"

_BY_TYPE: dict[str, tuple[type[TaskFailed], str]] = {
    "content_policy_violation": (
        ContentRejected,
        "The image model's provider rejected the content ({reason}): change the prompt or the pictures.",
    ),
    "face_detection_error": (
        NoPersonFound,
        "The image model found no face in the photos: use one that shows a face clearly.",
    ),
    "image_too_small": (InvalidImage, "A picture is too small for the image model ({reason}): send a larger one."),
    "image_too_large": (InvalidImage, "A picture is too large for the image model ({reason}): send a smaller one."),
    "image_load_error": (InvalidImage, "The image model could not read a picture: send it again, or another one."),
    "file_too_large": (InvalidImage, "A picture's file is too large for the image model: send a smaller one."),
    "file_download_error": (
        FetchFailed,
        "The image model's provider could not download a picture: give a link that the whole internet can open until "
        "the task ends, or send the picture itself.",
    ),
    "generation_timeout": (EngineTimeout, "The image model took too long: try again later."),
    "request_timeout": (EngineTimeout, "The image model had no time for the request: try again later."),
    "startup_timeout": (EngineTimeout, "The image model did not start in time: try again later."),
}


class _ModelError(BaseModel):
    type: str = ""
    msg: str = ""


class _Body(BaseModel):
    detail: list[_ModelError] | str = ""
    error_type: str = ""


def failure_of(response: httpx.Response, endpoint: str, setting: str) -> TaskFailed:
    """The failure that the error answer `response`, in fal's own words, means; `setting` is where the model `endpoint`
    is chosen. fal charges nothing for a 5xx, unless it names billed units.
    """
    body = _body_of(response)
    details = body.detail if isinstance(body.detail, list) else []
    kind = details[0].type if details else body.error_type or response.headers.get(_ERROR_TYPE, "")
    reason = shown(details[0].msg if details else str(body.detail)) or "it gave no reason"
    if kind in _BY_TYPE:
        failure, message = _BY_TYPE[kind]
        return failure(message.format(reason=reason))
    message = _message(response.status_code, reason, endpoint, setting)
    if response.is_server_error and not billed_units(response):
        return NotCharged(message, "it broke down, and charges nothing for that")
    return EngineError(message)


def refusal_of(response: httpx.Response, endpoint: str, setting: str) -> TaskFailed:
    """The failure that the refusal of a submit means: an account that is refused is charged nothing."""
    failure = failure_of(response, endpoint, setting)
    if response.status_code in _KEY_REFUSED and type(failure) is EngineError:
        return NotCharged(str(failure), "it refuses the service's account")
    return failure


def is_busy(response: httpx.Response) -> bool:
    """Whether fal takes no more submits: a 429, or a full queue's 503, which says so and names a time."""
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return "Retry-After" in response.headers and _is_own_word(response) and not _was_taken(response)
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS


def breakdown_of(response: httpx.Response, endpoint: str, setting: str) -> NotCharged | None:
    """What the 5xx to a submit means, if it is fal's own word, no time-out, and names no request."""
    if not is_outcome(response, json_in(response), failed=False) or _was_taken(response):
        return None
    failure = failure_of(response, endpoint, setting)
    return failure if isinstance(failure, NotCharged) else None


def billed_units(response: httpx.Response) -> float | None:
    """What fal says that it bills; None where it does not say it in a number."""
    try:
        units = float(response.headers.get("X-Fal-Billable-Units", ""))
    except ValueError:
        return None
    return units if math.isfinite(units) else None


def json_in(response: httpx.Response) -> JsonValue:
    """The JSON of an answer; None where it is none."""
    try:
        body: JsonValue = from_json(response.content)
    except ValueError:
        return None
    return body


def _is_own_word(response: httpx.Response) -> bool:
    body = json_in(response)
    return isinstance(body, dict) and bool({"error_type", "detail"} & body.keys())


def _was_taken(response: httpx.Response) -> bool:
    """Whether the answer names a request."""
    body = json_in(response)
    return _REQUEST_ID in response.headers or (isinstance(body, dict) and "request_id" in body)


def ends_the_wait(response: httpx.Response) -> bool:
    """Whether the answer to a status read that failed means that the next one will fail too. A 5xx does not, not even
    with fal's own error body: it is about the read, while the request, which is paid for, may be running.
    """
    return response.is_client_error and response.status_code not in _TRY_LATER


def is_outcome(response: httpx.Response, body: JsonValue, *, failed: bool) -> bool:
    """Whether the error that a result read was answered with is fal's own word; a gateway's page tells nothing.

    `body` is the JSON of the answer (None where it is none); `failed` says that the status spoke of an error. Without
    that, a 5xx whose detail is a mere text may be anybody's.
    """
    if response.status_code in _TRY_LATER:
        return False
    if _ERROR_TYPE in response.headers:
        return True
    if not isinstance(body, dict):
        return False
    if response.is_server_error and not failed:
        return "error_type" in body or isinstance(body.get("detail"), list)
    return bool({"error_type", "detail"} & body.keys())


def shown(text: str) -> str:
    """fal's words, fit to be shown."""
    return words.shown(text, _HOSTS)


def _message(status: int, reason: str, endpoint: str, setting: str) -> str:
    if status in _KEY_REFUSED:
        return "fal.ai refuses the service's account: its operator has to check FAL_KEY and the balance."
    if status in _GONE:
        return (
            f"fal.ai no longer has the model {endpoint!r}, or its result: try again; if that does not help, the "
            f"service's operator has to choose another model in {setting}."
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "The image model broke down: try again later."
    return (
        f"The image model does not take the request ({reason}): if another prompt or picture does not help, the "
        f"service's operator has to check {setting}."
    )


def _body_of(response: httpx.Response) -> _Body:
    try:
        return _Body.model_validate_json(response.content)
    except ValidationError:
        return _Body()
