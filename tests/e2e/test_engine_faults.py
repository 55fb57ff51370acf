"""Engines that fail: each task ends in `error` with the right code, and its message gives nothing away."""

import time
from pathlib import Path

import pytest

from deployments.errors import ErrorCode
from tests.e2e.service import STAGE_S, Service

BY_FAULT = {
    "raises": ErrorCode.INTERNAL,
    "garbage": ErrorCode.ENGINE_ERROR,
    "html": ErrorCode.ENGINE_ERROR,
    "elsewhere http://127.0.0.1:9/private.png": ErrorCode.FETCH_FAILED,
    "fails content_rejected": ErrorCode.CONTENT_REJECTED,
    "fails engine_error": ErrorCode.ENGINE_ERROR,
    "fails engine_timeout": ErrorCode.ENGINE_TIMEOUT,
    "fails engine_outcome_unknown": ErrorCode.ENGINE_OUTCOME_UNKNOWN,
}


@pytest.mark.parametrize("fault", BY_FAULT)
def test_a_failing_engine_ends_the_task_with_its_code(service: Service, fault: str) -> None:
    """In the first attempt: what an engine says is final, whichever stage hears it."""
    tasks = [service.avatar("/never.png", fault), service.background("/never.png", fault)]
    for task_id in tasks:
        task = service.ended(task_id)
        assert task.error is not None
        assert (task.error.code, task.attempts) == (BY_FAULT[fault], 1)
        assert "hunter2" not in task.error.message


def test_a_task_can_be_cancelled_while_its_engine_works(service: Service, tmp_path: Path) -> None:
    """It ends as `cancelled` at once, its engine hears of it, and it cannot be cancelled twice."""
    task_id = service.avatar("/cancelled.png", f"hangs {tmp_path / 'heard'}")
    while service.status(task_id) == "pending":
        pass
    answer = service.http.delete(f"/task/{task_id}")
    assert answer.status_code == 202
    assert set(answer.json()) == set(service.http.get(f"/task/{task_id}").json())
    assert service.failure(task_id) == "cancelled"
    assert service.http.delete(f"/task/{task_id}").status_code == 409
    assert "/cancelled.png" not in service.sink.requests
    give_up = time.monotonic() + STAGE_S / 2
    while not (tmp_path / "heard").exists():
        assert service.status(task_id) == "error"
        assert time.monotonic() < give_up, "the engine works on"


def test_a_cut_out_without_transparency_is_an_engine_error(service: Service) -> None:
    """An avatar is never shown with its background."""
    assert service.failure(service.avatar("/never.png", "opaque_cut_out")) == "engine_error"
