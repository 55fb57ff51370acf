"""Which requests start a task."""

import pytest

from deployments.api.submissions import Submissions
from tests.api.requests import ROUTES

SUBMISSIONS = Submissions("/api/v1")


def operation_of(method: str, path: str) -> str | None:
    return SUBMISSIONS.operation_of({"type": "http", "method": method, "path": path})


@pytest.mark.parametrize("operation", ROUTES)
def test_each_operation_is_told_by_method_and_path(operation: str) -> None:
    """Whatever the avatar is called."""
    method, path, _ = ROUTES[operation]
    assert operation_of(method, path) == operation
    assert operation_of(method, path.replace("a%201", "é 🙂")) == operation


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/avatar"),
        ("POST", "/api/v1/avatar/"),
        ("POST", "/api/v1/avatars"),
        ("PUT", "/api/v1/avatar/ada"),
        ("PUT", "/api/v1/avatar/a/b/overlay"),
        ("PUT", "/v2/api/v1/avatar/ada/overlay"),
        ("DELETE", "/api/v1/avatar/ada"),
    ],
)
def test_others_start_no_task(method: str, path: str) -> None:
    """Nor does what is no request at all."""
    assert operation_of(method, path) is None
    assert SUBMISSIONS.operation_of({"type": "lifespan"}) is None
