"""The one shape of errors."""

import httpx

ORIGIN = "http://localhost:5173"


def assert_is_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"].endswith(".")
    assert {"type", "title"} <= set(answer.json())
