"""The logs of the whole cluster: tasks can be followed by their id, and no secret stands in any file."""

import base64
import json
import re
import time
from collections.abc import Iterator

from tests.e2e.service import API_KEY, PHOTO, STORAGE_SECRET, TASK_PATIENCE_S, URL_SECRET, WEBHOOK_SECRET, Service

ABOUT_A_TASK = re.compile(r"\w+: \w+ in [\d.]+ s|\w+ ended as |A step failed|Attempt \d")
"""How our own lines on a task begin."""


def json_lines(service: Service) -> Iterator[dict[str, object]]:
    """Every line of JSON in every log file of the cluster."""
    for file in service.logs.rglob("*"):
        if file.is_file():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith('{"asctime"'):
                    yield json.loads(line)


def until_logged(service: Service, task_id: str, field: str, text: str) -> None:
    """Waits until a line about the task has `text` in `field`: lines are written each second."""
    give_up = time.monotonic() + TASK_PATIENCE_S
    while not any(text in str(line.get(field)) for line in json_lines(service) if line.get("aige_task_id") == task_id):
        assert time.monotonic() < give_up, f"{text!r} is never logged"
        time.sleep(0.2)


def test_a_failure_can_be_followed_through_all_processes(service: Service) -> None:
    """By its `aige_task_id`: the stage that failed, and the orchestrator."""
    task_id = service.avatar("/logged.png", f"elsewhere {service.sink.url}/logged-portrait.png")
    assert service.failure(task_id) == "fetch_failed"
    for told in ("A step failed: fetch_failed", "remove_background: fetch_failed", "avatar ended as fetch_failed"):
        until_logged(service, task_id, "message", told)


def test_one_line_tells_of_a_task_that_goes_well(service: Service) -> None:
    """How it ended, how long each status was shown, and who made it."""
    task_id = service.background("/logged-well.png", "instant")
    assert service.ended(task_id).status == "done"
    until_logged(service, task_id, "message", "background ended as done: pending 0.")
    (line,) = [str(line["message"]) for line in json_lines(service) if line.get("aige_task_id") == task_id]
    statuses = r"pending [\d.]+ s, processing_avatar_model [\d.]+ s, uploading_image [\d.]+ s"
    assert re.fullmatch(
        rf"background ended as done: {statuses}; generate_background by .+ of .+; its caller: \w+\.", line
    )


def test_the_operator_finds_the_cause_of_an_internal_error(service: Service) -> None:
    """Its stack trace, under the task's id; the caller never sees it."""
    task_id = service.avatar("/logged.png", "raises")
    assert service.failure(task_id) == "internal"
    until_logged(service, task_id, "exc_text", "hunter2")


def test_every_line_about_a_task_carries_its_id(service: Service) -> None:
    """Whichever process wrote it."""
    service.ended(service.background("/logged-too.png", "raises"))
    about_tasks = [line for line in json_lines(service) if ABOUT_A_TASK.match(str(line["message"]))]
    assert len(about_tasks) >= 3
    assert [line for line in about_tasks if "aige_task_id" not in line] == []


def test_no_prompt_photo_or_url_stands_in_any_log(service: Service) -> None:
    """Of tasks that end well, that fail, break or are erased; neither in our lines nor in a library's."""
    mark, photo = "Zq7Wm1", base64.b64encode(PHOTO.read_bytes()).decode()
    urls = {"writeUrl": f"{service.sink.url}/{mark}-w?{mark}", "readUrl": f"{service.sink.url}/{mark}-r"}
    hook = {**urls, "webhookUrl": f"{service.sink.url}/{mark}-hook", "avatar_id": "logged"}
    service.sink.answers[f"/{mark}-hook"] = [500] * 4
    tasks = [
        service.avatar("", f"instant {mark}", photo, **hook),
        service.avatar("", f"raises {mark}", photo, **hook),
        service.avatar("", f"instant {mark}", f"{service.sink.url}/{mark}-photo", **hook),
        service.avatar("", f"a portrait of {mark}", photo, **hook),
    ]
    refused = service.http.post("/avatar", json={"prompt": mark, "source_images": [f"ftp://{mark}"]})
    assert refused.status_code == 400
    for task_id in tasks:
        service.ended(task_id)
        until_logged(service, task_id, "message", "webhook: try 1")
    assert service.http.delete("/avatar/logged").json()["tasks"] == len(tasks)
    time.sleep(2)  # lines are written each second
    middle = len(photo) // 2
    for file in (file for file in service.logs.parent.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert mark.encode() not in content, file
        assert photo[middle : middle + 60].encode() not in content, file


def test_no_secret_stands_in_any_log(service: Service) -> None:
    """Neither a key, nor the store's secret, nor what signs a URL, in any file of the cluster."""
    signed = service.http.post("/storage/presign").json()
    store = {"writeUrl": signed["writeUrl"], "readUrl": signed["readUrl"]}
    service.sink.answers["/secretive.png"] = [503, 403]
    tasks = [
        service.background("/secretive.png", "instant"),
        service.background("", "instant", **store),
        service.avatar("/secretive.png", "a cartoon", f"{service.sink.url}/secretive.jpg?X-Amz-Signature={URL_SECRET}"),
        service.avatar("/secretive.png", "raises"),
    ]
    assert [service.ended(task_id).status for task_id in tasks] == ["error", "done", "error", "error"]
    signatures = [url.rpartition("signature=")[2] for url in store.values()]
    secrets = [secret.encode() for secret in (API_KEY, STORAGE_SECRET, WEBHOOK_SECRET, URL_SECRET, *signatures)]
    files = [file for file in service.logs.parent.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret in content], file
