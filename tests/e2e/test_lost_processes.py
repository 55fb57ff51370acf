"""Engines that take their process with them: no task is lost."""

from pathlib import Path

from tests.e2e.service import ATTEMPTS, Service


def test_a_process_that_dies_once_costs_an_attempt_and_no_task(service: Service, tmp_path: Path) -> None:
    """Nor does it cost the tasks beside it."""
    tasks = [service.background(f"/beside-{number}.png", "a forest in spring") for number in range(2)]
    tasks.append(service.background("/second-life.png", f"dies_once {tmp_path / 'grave'}"))
    ended = [service.ended(task_id) for task_id in tasks]
    assert [task.status for task in ended] == ["done"] * 3
    assert ended[-1].attempts == 2
    shown = [moment.status for moment in ended[-1].timeline]
    assert shown == ["pending", "processing_avatar_model", "uploading_image", "done"]
    assert len(service.sink.requests["/second-life.png"]) == 1


def test_a_process_that_always_dies_ends_its_task(service: Service) -> None:
    """After as many attempts as are configured; and the service goes on."""
    task = service.ended(service.background("/never.png", "dies"))
    assert task.error is not None
    assert (task.error.code, task.attempts) == ("internal", ATTEMPTS)
    assert service.ended(service.background("/after.png", "instant")).status == "done"
