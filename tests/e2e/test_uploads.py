"""The PUT of the result: exactly as pre-signed URLs want it, tried again where that helps."""

import pytest

from tests.e2e import pictures
from tests.e2e.service import URL_SECRET, Service


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


def test_done_is_shown_only_after_the_store_has_taken_it(service: Service) -> None:
    """The store takes its time."""
    gate = service.sink.gate("PUT", "/slowly.png")
    task_id = service.background("/slowly.png", "instant")
    gate.wait()
    service.until(task_id, "uploading_image")
    assert service.task(task_id).readUrl is None
    gate.open()
    assert service.ended(task_id).readUrl == f"{service.sink.url}/slowly.png"
