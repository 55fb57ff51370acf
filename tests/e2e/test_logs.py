"""The logs of the whole cluster: tasks can be followed by their id, and no secret stands in any file."""

import json
from collections.abc import Iterator

from tests.e2e.service import API_KEY, STORAGE_SECRET, URL_SECRET, Service

STAGES = ("AvatarGenerator.run", "BackgroundRemover.run", "Uploader.run")


def json_lines(service: Service) -> Iterator[dict[str, object]]:
    for file in service.logs.rglob("*"):
        if file.is_file():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("{") and "aige_task_id" in line:
                    yield json.loads(line)


def test_a_task_can_be_followed_through_all_processes(service: Service) -> None:
    """A line from each stage and one from the supervisor, all with its `aige_task_id`."""
    done = service.avatar("/logged.png", f"elsewhere {service.sink.url}/logged-portrait.png")
    failed = service.avatar("/logged.png", "raises")
    service.failure(done)
    service.failure(failed)
    messages = [str(line["message"]) for line in json_lines(service) if line["aige_task_id"] == done]
    assert any(message.startswith("AvatarGenerator.run: done") for message in messages)
    assert any(message.startswith("BackgroundRemover.run: fetch_failed") for message in messages)
    assert any(message.startswith("avatar ended as fetch_failed") for message in messages)
    trace = [line for line in json_lines(service) if line["aige_task_id"] == failed and "exc_text" in line]
    assert "hunter2" in json.dumps(trace), "the operator finds the cause in the log"


def test_every_line_about_a_task_carries_its_id(service: Service) -> None:
    """Wherever one of our lines stands."""
    service.ended(service.background("/logged-too.png", "instant"))
    ours = ("or.run: ", "er.run: ", "Overlayer.", " ended as ", "A stage failed", "Attempt ")
    for file in service.logs.rglob("*"):
        if file.is_file():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if any(mark in line for mark in ours) and line.startswith("{"):
                    assert json.loads(line).get("aige_task_id"), f"{file.name}: {line}"


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
    secrets = [secret.encode() for secret in (API_KEY, STORAGE_SECRET, URL_SECRET, *signatures)]
    files = [file for file in service.logs.parent.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret in content], file
