"""From the answers of a server to the failures that a task's caller reads; a message repeats no URL and no host."""

import re

import httpx

from deployments.engines import words
from deployments.engines.openai.answers import Answer, error_in
from deployments.engines.submits import NotTaken
from deployments.errors import ContentRejected, EngineError, InvalidImage, NotCharged, TaskFailed

_ACCOUNT = "The image model's provider refuses the service's account: its operator has to check {key} and the balance."
_ACCOUNT_REFUSED = frozenset({401, 402, 403})
_NO_MONEY = frozenset({"billing_hard_limit_reached", "insufficient_quota"})
_REJECTED = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
_NO_PICTURE = frozenset({"invalid_image", "invalid_image_file", "invalid_image_format", "image_parse_error"})


def not_taken(response: httpx.Response) -> TaskFailed | None:
    """What the answer means, if it says that the server did not take the call; None if it says anything else."""
    error = error_in(response)
    code = str((error.code or error.type or "") if error else "")
    if response.status_code in _ACCOUNT_REFUSED or (response.is_client_error and code in _NO_MONEY):
        return NotCharged(_ACCOUNT.format(key="OPENAI_API_KEY"), "it refuses the service's account")
    is_busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    if is_busy or (response.status_code == httpx.codes.SERVICE_UNAVAILABLE and error is not None):
        retry_after = response.headers.get("Retry-After", "")
        return NotTaken(
            "The image model takes no more requests at the moment: try again later.",
            "it takes no more requests at the moment",
            retry_after,
        )
    if response.is_redirect:
        return EngineError("The image model's server has moved: the service's operator has to check its `base_url`.")
    return None


def failure_of(answer: Answer, setting: str, hosts: re.Pattern[str]) -> TaskFailed:
    """The failure that the server's own error means; `setting` is where the model is chosen."""
    reason = words.shown(answer.message, hosts) or "it gave no reason"
    if answer.code in _REJECTED:
        return ContentRejected(
            f"The image model's provider rejected the content ({reason}): change the prompt or the pictures."
        )
    if answer.code in _NO_PICTURE:
        return InvalidImage("The image model could not read a picture: send it again, or another one.")
    if answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return InvalidImage("A picture's file is too large for the image model: send a smaller one.")
    if answer.status == httpx.codes.NOT_FOUND:
        return EngineError(
            f"The image model's server does not have the model {answer.model!r}: the service's operator has to choose "
            f"another one in {setting}."
        )
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return EngineError("The image model broke down: try again later.")
    return EngineError(
        f"The image model does not take the request ({reason}): if another prompt or picture does not help, the "
        f"service's operator has to check {setting}."
    )
