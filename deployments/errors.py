"""Every error that this project raises on purpose.

    AigeError
    ├── SettingsError          a setting is misspelt or impossible: the start stops
    ├── RequestRefused         the request is answered with a problem document; carries its HTTP status
    │   ├── InvalidRequest         400
    │   ├── Unauthorized           401
    │   ├── Forbidden              403
    │   ├── NotFound               404
    │   ├── Conflict               409
    │   ├── BodyTooLarge           413
    │   ├── LimitReached           429, with Retry-After
    │   │   ├── QuotaExceeded          too many tasks of one caller
    │   │   └── BudgetUsedUp           nothing is left of one caller's money
    │   └── Unavailable            503, with Retry-After
    └── TaskFailed             the task ends in `error`; carries its code
        ├── InvalidImage           invalid_image
        ├── NoPersonFound          no_person_found
        ├── ContentRejected        content_rejected
        ├── EngineError            engine_error
        │   └── NotCharged             the work was certainly not taken, or is not charged: another engine may be asked
        ├── EngineTimeout          engine_timeout
        ├── EngineOutcomeUnknown   engine_outcome_unknown
        ├── FetchFailed            fetch_failed
        ├── UploadFailed           upload_failed
        ├── UploadUrlExpired       upload_url_expired
        ├── BudgetExceeded         budget_exceeded
        ├── Cancelled              cancelled
        ├── DeadlineExceeded       deadline_exceeded
        └── InternalError          internal

A message is plain English for the caller, one idea a sentence. It says what can be done, and never holds a secret, a
path or a stack trace. `deployments.api.problems` turns refusals into HTTP; `failure_of` below turns anything into a
task's error. All of them take positional arguments only, so that they survive pickling between processes.
"""

import re
from enum import StrEnum
from typing import ClassVar, NamedTuple, Self


class ErrorCode(StrEnum):
    """The codes that a failed task can show."""

    INVALID_IMAGE = "invalid_image"
    NO_PERSON_FOUND = "no_person_found"
    CONTENT_REJECTED = "content_rejected"
    ENGINE_ERROR = "engine_error"
    ENGINE_TIMEOUT = "engine_timeout"
    ENGINE_OUTCOME_UNKNOWN = "engine_outcome_unknown"
    FETCH_FAILED = "fetch_failed"
    UPLOAD_FAILED = "upload_failed"
    UPLOAD_URL_EXPIRED = "upload_url_expired"
    BUDGET_EXCEEDED = "budget_exceeded"
    CANCELLED = "cancelled"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL = "internal"


class AigeError(Exception):
    """The root of the tree."""


class SettingsError(AigeError):
    """A setting is misspelt or impossible."""


class RequestRefused(AigeError):
    """The request is refused; `str(error)` is the problem's `detail`."""

    status: ClassVar[int]

    @property
    def reason(self) -> str:
        """Why, in a word or two, for metrics: `body_too_large`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()


class InvalidRequest(RequestRefused):
    """`field` is the place in the request that is wrong, such as `("body", "source_images", 0)`."""

    status = 400

    def __init__(self, detail: str, field: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail, field)
        self.detail = detail
        self.field = field

    def __str__(self) -> str:
        return self.detail


class Unauthorized(RequestRefused):
    status = 401


class Forbidden(RequestRefused):
    status = 403


class NotFound(RequestRefused):
    status = 404


class Conflict(RequestRefused):
    status = 409


class BodyTooLarge(RequestRefused):
    status = 413


class Rate(NamedTuple):
    """Of the `quota` of tasks a minute, `left` may be started within the next `seconds`; then there are more."""

    quota: int
    left: int
    seconds: int


class LimitReached(RequestRefused):
    """A limit of the caller's own: try again after `retry_after` seconds. `rate` is None where no such limit is set."""

    status = 429

    def __init__(self, detail: str, retry_after: int = 1, rate: Rate | None = None) -> None:
        super().__init__(detail, retry_after, rate)
        self.detail = detail
        self.retry_after = retry_after
        self.rate = rate

    def __str__(self) -> str:
        return self.detail


class QuotaExceeded(LimitReached):
    """Too many of the caller's tasks, in flight or within a minute."""


class BudgetUsedUp(LimitReached):
    """The caller has nothing left to spend."""


class Unavailable(RequestRefused):
    """Try again after `retry_after` seconds. `short_of` is what is missing, in a word: `journal`."""

    status = 503

    def __init__(self, detail: str, retry_after: int = 1, short_of: str = "unavailable") -> None:
        super().__init__(detail, retry_after, short_of)
        self.detail = detail
        self.retry_after = retry_after
        self.short_of = short_of

    @property
    def reason(self) -> str:
        return self.short_of

    def __str__(self) -> str:
        return self.detail


class NotInCharge(Unavailable):
    """The actor has answered, and another one is in charge, or soon will be."""


class TaskFailed(AigeError):
    """The task ends in `error`; `str(error)` is the message that its caller reads."""

    code: ClassVar[ErrorCode]


class InvalidImage(TaskFailed):
    code = ErrorCode.INVALID_IMAGE


class NoPersonFound(TaskFailed):
    code = ErrorCode.NO_PERSON_FOUND


class ContentRejected(TaskFailed):
    code = ErrorCode.CONTENT_REJECTED


class EngineError(TaskFailed):
    code = ErrorCode.ENGINE_ERROR


class NotCharged(EngineError):
    """The engine certainly did not take the work, or does not charge for it; another engine may be asked instead.

    `reason` says why in a clause that names no host: "it cannot be reached".
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason)
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        return self.message


class EngineTimeout(TaskFailed):
    code = ErrorCode.ENGINE_TIMEOUT


class EngineOutcomeUnknown(TaskFailed):
    code = ErrorCode.ENGINE_OUTCOME_UNKNOWN

    @classmethod
    def contact_lost(cls) -> Self:
        """A paid submit may have been sent, and its answer was never seen."""
        return cls(
            "Contact with the image model was lost during the request. Whether it ran is unknown. "
            "If you try again, you may be charged twice."
        )


class FetchFailed(TaskFailed):
    code = ErrorCode.FETCH_FAILED


class UploadFailed(TaskFailed):
    code = ErrorCode.UPLOAD_FAILED


class UploadUrlExpired(TaskFailed):
    code = ErrorCode.UPLOAD_URL_EXPIRED


class BudgetExceeded(TaskFailed):
    """A paid call was not made, since its caller has too little left to spend."""

    code = ErrorCode.BUDGET_EXCEEDED


class Cancelled(TaskFailed):
    code = ErrorCode.CANCELLED


class DeadlineExceeded(TaskFailed):
    code = ErrorCode.DEADLINE_EXCEEDED


class InternalError(TaskFailed):
    code = ErrorCode.INTERNAL


def no_such_task() -> NotFound:
    """A task's id that leads nowhere (any more)."""
    return NotFound("There is no such task. The service forgets finished tasks after a while.")


def failure_of(error: BaseException) -> TaskFailed:
    """The failure to show for `error`: itself where it is one, else `InternalError` without a word about the cause."""
    if isinstance(error, TaskFailed):
        return error
    return InternalError("Something broke on our side; try again, and report the task id if it happens again.")
