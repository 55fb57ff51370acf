"""The PUT of the result: exactly as pre-signed URLs want it, tried again where that helps."""

import pytest

from tests.e2e import pictures
from tests.e2e.service import URL_SECRET, Service
from tests.sinks.object_store import TAKEN_IN_SILENCE


def test_the_result_is_one_put_of_an_image_png(service: Service) -> None:
    """With its length, not chunked (S3 refuses that), and no header that a signature does not cover."""
    assert service.ended(service.background("/plain.png", "instant")).status == "done"
    (put,) = service.sink.requests["/plain.png"]
    assert put.method == "PUT"
    assert put.headers["content-type"] == "image/png"
    assert put.headers["content-length"] == str(len(put.body))
    assert "transfer-encoding" not in put.headers
    assert "authorization" not in put.headers
    assert not [name for name in put.headers if name.startswith("x-")]
    assert pictures.opened(put.body).size == (64, 64)


@pytest.mark.parametrize(("answers", "tries"), [([503], 2), ([429, 500], 3)])
def test_a_store_that_is_busy_is_asked_again(service: Service, answers: list[int], tries: int) -> None:
    """Until it takes it."""
    path = f"/busy-{tries}.png"
    service.sink.answers[path] = answers
    assert service.ended(service.background(path, "instant")).status == "done"
    assert len(service.sink.requests[path]) == tries
    assert len({put.body for put in service.sink.requests[path]}) == 1


@pytest.mark.parametrize("status", [302, 400, 403])
def test_a_store_that_refuses_is_asked_once(service: Service, status: int) -> None:
    """A redirect is a refusal, too; the message names the status and not the signature."""
    path = f"/refused-{status}.png"
    service.sink.answers[path] = [status] * 9
    task = service.ended(service.background(path, "instant"))
    assert task.error is not None
    assert task.error.code == "upload_failed"
    assert str(status) in task.error.message
    assert URL_SECRET not in task.error.message
    assert len(service.sink.requests[path]) == 1
    assert "/elsewhere" not in service.sink.requests


def test_a_store_that_takes_no_second_put_has_taken_the_first(service: Service) -> None:
    """Its answer was lost; what lies at `readUrl` is what was sent."""
    path = "/taken-already.png"
    service.sink.answers[path] = [TAKEN_IN_SILENCE, 409]
    assert service.ended(service.background(path, "instant")).status == "done"
    assert [request.method for request in service.sink.requests[path]] == ["PUT", "PUT", "GET"]


def test_done_is_shown_only_after_the_store_has_taken_it(service: Service) -> None:
    """The store takes its time."""
    gate = service.sink.gate("PUT", "/slowly.png")
    task_id = service.background("/slowly.png", "instant")
    gate.wait()
    service.until(task_id, "uploading_image")
    assert service.task(task_id).readUrl is None
    gate.open()
    assert service.ended(task_id).readUrl == f"{service.sink.url}/slowly.png"
