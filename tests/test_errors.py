"""Errors that people read: each has one code or one status, and survives the way between processes."""

import pickle

import pytest

from deployments.errors import (
    AigeError,
    EngineError,
    ErrorCode,
    InternalError,
    InvalidRequest,
    NotCharged,
    QuotaExceeded,
    Rate,
    RequestRefused,
    TaskFailed,
    Unavailable,
    failure_of,
)


def leaves(kind: type[AigeError]) -> list[type[AigeError]]:
    """The classes of the tree at `kind` that have no children, those of this project alone."""
    children = [child for child in kind.__subclasses__() if child.__module__ == AigeError.__module__]
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


def test_each_code_has_one_error() -> None:
    """What a task shows names its cause, and nothing else."""
    codes = [kind.code for kind in leaves(TaskFailed) if issubclass(kind, TaskFailed)]
    assert sorted(codes) == sorted(ErrorCode)


@pytest.mark.parametrize("kind", leaves(AigeError))
def test_errors_survive_pickling(kind: type[AigeError]) -> None:
    """They travel between processes as they are, with all that they carry."""
    error = NotCharged("A sentence.", "it is busy") if kind is NotCharged else kind("A sentence.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (kind, "A sentence.", vars(error))


def test_what_errors_carry_survives_too() -> None:
    """The place in a request, and the time until the next try."""
    refused = pickle.loads(pickle.dumps(InvalidRequest("A sentence.", ("body", "prompt"))))  # noqa: S301 - our own
    busy = pickle.loads(pickle.dumps(Unavailable("A sentence.", 30)))  # noqa: S301 - our own
    assert (str(refused), refused.field) == ("A sentence.", ("body", "prompt"))
    assert (str(busy), busy.retry_after) == ("A sentence.", 30)
    limited = pickle.loads(pickle.dumps(QuotaExceeded("A sentence.", 17, Rate(10, 0, 17))))  # noqa: S301 - our own
    assert (str(limited), limited.retry_after, limited.rate) == ("A sentence.", 17, Rate(10, 0, 17))
    short = pickle.loads(pickle.dumps(Unavailable("A sentence.", 30, "journal")))  # noqa: S301 - our own
    assert (short.reason, refused.reason) == ("journal", "invalid_request")


@pytest.mark.parametrize("kind", leaves(RequestRefused))
def test_a_refusal_is_an_http_error(kind: type[RequestRefused]) -> None:
    """Of the caller's, or of a service that is busy."""
    assert 400 <= kind.status < 500 or kind.status == 503


def test_an_unforeseen_error_is_internal_and_says_nothing_of_its_cause() -> None:
    """A failure that was foreseen stays what it is."""
    foreseen = EngineError("Try again.")
    assert failure_of(foreseen) is foreseen
    unforeseen = failure_of(ValueError("a secret"))
    assert isinstance(unforeseen, InternalError)
    assert str(unforeseen) == "Something broke on our side; try again, and report the task id if it happens again."
