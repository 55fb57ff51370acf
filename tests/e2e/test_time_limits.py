"""What takes long before it ends. These tasks begin with the session and work in the background of the other tests."""

from tests.e2e.service import STAGE_S, Service


def test_an_engine_that_hangs_ends_at_the_stage_s_deadline(service: Service, slow: dict[str, str]) -> None:
    """With nothing left open: `deadline_exceeded`, at the first attempt."""
    task = service.ended(slow["hangs"])
    assert task.error is not None
    assert (task.error.code, task.attempts) == ("deadline_exceeded", 1)
    started, ended = (task.timeline[place].at for place in (1, -1))
    assert STAGE_S <= (ended - started).total_seconds() < 2 * STAGE_S


def test_a_store_that_is_always_busy_is_asked_five_times(service: Service, slow: dict[str, str]) -> None:
    """Then the upload has failed."""
    assert service.failure(slow["never taken"]) == "upload_failed"
    assert len(service.sink.requests["/never-taken.png"]) == 5


def test_a_write_url_that_expires_between_two_tries_is_upload_url_expired(
    service: Service, slow: dict[str, str]
) -> None:
    """It is not tried with any more."""
    assert service.failure(slow["expires"]) == "upload_url_expired"
    assert 1 <= len(service.sink.requests["/expires.png"]) < 5
