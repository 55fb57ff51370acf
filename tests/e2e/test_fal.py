"""The fal engine in the whole service: HTTP in, fal's emulator behind, the result in a store.

Nothing in the service knows of the emulator: fal-client's own variables lead there. The emulator's clock goes on only
when a test moves it, so that each state of a request can be seen from outside.
"""

import base64
import io
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from pydantic import JsonValue

from deployments.api.answers import TaskResponse
from deployments.engines.prompts import background_prompt, blend_prompt, portrait_prompt
from scripts import cluster
from tests.e2e import pictures
from tests.e2e.credentials import assert_tells_nothing, ingredients, said_by
from tests.e2e.service import PHOTO, TASK_PATIENCE_S, Service
from tests.fal_emulator.emulator import KEY, FalEmulator, Fault, Request, answers, does_and_drops, drops
from tests.fal_emulator.models import mark_in, mark_of, marked, pictures_in
from tests.fal_emulator.network import environment_of
from tests.running import RunningService
from tests.sinks.object_store import ObjectStoreSink

TASK_S = 25
EDITOR, PAINTER, REMOVER = "fal-ai/nano-banana-2/edit", "fal-ai/nano-banana-2", "fal-ai/birefnet/v2"
PUBLIC_PHOTO = "https://photos.example/me.jpg"
QUEUED, AT_WORK = "Number 3 in fal.ai's queue.", "The image model is at work: step 3 of 4, see."
SECRETS = [part.encode() for part in (KEY, *KEY.split(":"), base64.b64encode(KEY.encode()).decode())]

FAULTS: dict[str, tuple[Fault, str, str]] = {
    "key refused": (answers(401, {"detail": f"Key {KEY} is revoked"}), "engine_error", "FAL_KEY"),
    "endpoint retired": (answers(404, {"detail": "not found"}), "engine_error", "engine_options.models.background"),
    "broke down": (answers(500, {"detail": f"Key {KEY}"}), "engine_outcome_unknown", "charged twice"),
    "dropped before": (drops, "engine_outcome_unknown", "charged twice"),
    "dropped after": (does_and_drops, "engine_outcome_unknown", "charged twice"),
}
VIEWS = (
    "/api/serve/applications/",
    "/logical/actors",
    "/nodes?view=summary",
    "/api/jobs/",
    "/api/cluster_status",
    *(f"/api/v0/{kind}?detail=1" for kind in ("actors", "workers", "tasks", "jobs", "nodes", "runtime_envs")),
)
"""Of the dashboard; what it shows of logs are the files."""


@dataclass
class Clock:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def fal(clock: Clock) -> FalEmulator:
    """A request waits for a second of the clock, and runs for another."""
    return FalEmulator(queue_s=1, run_s=1, clock=clock)


@pytest.fixture(scope="module")
def run(fal: FalEmulator, sink: ObjectStoreSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("fal")
    settings = {"engine": "auto", "deadlines": {"task_s": TASK_S, "stage_s": 10 * TASK_S}}
    with environment_of(fal, folder) as environment:
        environment["AIGE_ALLOW_HOSTS"] += f",{sink.host}"
        run = RunningService(folder, settings, environment)
        try:
            run.start()
            yield run
        finally:
            run.close()


@pytest.fixture(scope="module")
def service(run: RunningService, sink: ObjectStoreSink) -> Service:
    return Service(run.client, sink, cluster.temp_dir(run.data))


@pytest.fixture(scope="module", autouse=True)
def slow(service: Service, fal: FalEmulator) -> dict[str, str]:
    """In place of the other service's: a task that fal never comes to, while the other tests run."""
    overdue = service.background("/never.png", "overdue")
    asked(fal, PAINTER, "overdue").submitted_at = math.inf
    return {"overdue": overdue}


def until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + TASK_PATIENCE_S
    while not happened():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.05)


def asked(fal: FalEmulator, endpoint: str, about: str) -> Request:
    """The one request whose prompt ends so, or whose picture bears that mark, once it is there."""

    def is_it(request: Request) -> bool:
        arguments = request.arguments
        if "prompt" in arguments:
            return str(arguments["prompt"]).endswith(about)
        return mark_in(arguments["image_url"]) == mark_of(about)

    def found() -> list[Request]:
        return [request for request in list(fal.requests.values()) if request.endpoint == endpoint and is_it(request)]

    until(lambda: bool(found()))
    (request,) = found()
    return request


def watched(service: Service, clock: Clock, task_id: str, requests: int) -> list[TaskResponse]:
    """Moves so many requests on as soon as polling shows where they stand; what the event stream tells meanwhile."""
    with ThreadPoolExecutor() as threads:
        events = threads.submit(lambda: list(service.events(task_id)))
        for progress in (QUEUED, AT_WORK) * requests:
            until(lambda progress=progress: service.task(task_id).progress == progress)  # type: ignore[misc]
            clock.now += 1
        return events.result()


def assert_told(events: list[TaskResponse], paid: Sequence[tuple[str, str, str]], unpaid: Sequence[str] = ()) -> None:
    """`paid` are the stages that ask fal: the status they show, their names and their models."""
    last = events[-1]
    statuses = ["pending", *(status for status, _, _ in paid), *unpaid, "uploading_image", "done"]
    assert [moment.status for moment in last.timeline] == statuses
    assert (last.engine, last.attempts, last.error) == ("fal", 1, None)
    told = [(event.status, event.progress) for event in events if event.progress]
    assert told == [(status, progress) for status, _, _ in paid for progress in (QUEUED, AT_WORK)]
    assert [(maker.stage, maker.engine, maker.model) for maker in last.made_by] == [
        (stage, "fal", model) for _, stage, model in paid
    ]
    assert [(charge.stage, charge.model, charge.units) for charge in last.cost] == [
        (stage, model, 1.5) for _, stage, model in paid
    ]


def assert_authorised(request: Request) -> None:
    assert request.headers["authorization"] == f"Key {KEY}"
    assert request.headers["x-fal-store-io"] == "0"
    lifecycle = json.loads(request.headers["x-fal-object-lifecycle-preference"])
    assert lifecycle == {"expiration_duration_seconds": 3600}


def assert_says(service: Service, path: str, *secrets: str) -> dict[str, JsonValue]:
    """What the result says of itself, which is nothing of these."""
    data = service.sink.objects[path].body
    assert_tells_nothing(data, KEY, *secrets)
    return said_by(service, data)


def picture(uri: str) -> Image.Image:
    assert uri.startswith("data:image/jpeg;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_an_avatar(service: Service, fal: FalEmulator, clock: Clock) -> None:
    """Two paid calls: the portrait gets words, photos and ratio; the remover gets the portrait."""
    words = 'an astronaut, {"quoted"}: 宇航员'
    photos = [base64.b64encode(PHOTO.read_bytes()).decode(), PUBLIC_PHOTO]
    task_id = service.avatar("/fal-avatar.png", words, source_images=photos, aspect_ratio="3:4")
    paid = [
        ("processing_avatar_model", "AvatarGenerator", EDITOR),
        ("processing_background_removal", "BackgroundRemover", REMOVER),
    ]
    assert_told(watched(service, clock, task_id, 2), paid)
    portrait, cut_out = asked(fal, EDITOR, words), asked(fal, REMOVER, portrait_prompt(words))
    sent = pictures_in(EDITOR, portrait.arguments)
    assert portrait.arguments == {
        "prompt": portrait_prompt(words),
        "aspect_ratio": "3:4",
        "resolution": "1K",
        "image_urls": [sent[0], PUBLIC_PHOTO],
    }
    assert picture(sent[0]).size == Image.open(PHOTO).size
    assert cut_out.arguments.keys() == {"model", "image_url"}
    assert cut_out.arguments["model"] == "Portrait"
    for request in (portrait, cut_out):
        assert_authorised(request)
    result = pictures.opened(service.sink.objects["/fal-avatar.png"].body)
    assert (result.mode, result.width / result.height) == ("RGBA", 3 / 4)
    said = assert_says(service, "/fal-avatar.png", task_id, portrait.id, cut_out.id, "astronaut", PUBLIC_PHOTO)
    assert said["digital_source_type"] == "trainedAlgorithmicMedia"
    assert said["made_by"] == [{"engine": "fal", "model": EDITOR}, {"engine": "fal", "model": REMOVER}]
    assert ingredients(said) == [("photo 1", False, None), ("photo 2", False, None)]


def test_a_background(service: Service, fal: FalEmulator, clock: Clock) -> None:
    """One paid call, whose picture is the result."""
    task_id = service.background("/fal-background.png", "hills", aspect_ratio="16:9")
    events = watched(service, clock, task_id, 1)
    assert_told(events, [("processing_avatar_model", "BackgroundGenerator", PAINTER)])
    request = asked(fal, PAINTER, "hills")
    assert request.arguments == {"prompt": background_prompt("hills"), "aspect_ratio": "16:9", "resolution": "1K"}
    assert_authorised(request)
    result = pictures.opened(service.sink.objects["/fal-background.png"].body)
    assert result.tobytes() == pictures.opened(fal.files[f"{request.id}.png"]).tobytes()
    said = assert_says(service, "/fal-background.png", task_id, request.id, "hills")
    assert said["digital_source_type"] == "trainedAlgorithmicMedia"
    assert said["made_by"] == [{"engine": "fal", "model": PAINTER}]


def test_an_overlay_of_a_photo(service: Service, fal: FalEmulator, clock: Clock) -> None:
    """Two paid calls: the person is cut out, placed by us, and blended; the result has the canvas's pixels."""
    params = {
        "person": service.sink.serve("/fal-person.png", marked("a person", (300, 200))),
        "background": service.sink.serve("/fal-behind.png", pictures.png(pictures.scene())),
        "position": {"x": 300, "y": -20.5, "scale": 2.5},
    }
    task_id = service.overlay("/fal-together.png", params, prompt="at dusk", aspect_ratio="landscape_16_9")
    paid = [
        ("processing_background_removal", "BackgroundRemover", REMOVER),
        ("processing_overlay", "Overlayer", EDITOR),
    ]
    assert_told(watched(service, clock, task_id, 2), paid)
    cut_out, blend = asked(fal, REMOVER, "a person"), asked(fal, EDITOR, "at dusk")
    (sent,) = pictures_in(EDITOR, blend.arguments)
    assert blend.arguments == {
        "prompt": blend_prompt("at dusk"),
        "aspect_ratio": "16:9",
        "resolution": "1K",
        "image_urls": [sent],
    }
    for request in (cut_out, blend):
        assert_authorised(request)
    alone = pictures.opened(fal.files[f"{cut_out.id}.png"])
    assert alone.size == (300, 200)
    placed = pictures.composed(pictures.scene(), alone, (1024, 576), 300, -20.5, 2.5)
    assert np.abs(np.asarray(picture(sent), int) - np.asarray(placed, int)).mean() < 2  # it went as a JPEG
    result = pictures.opened(service.sink.objects["/fal-together.png"].body)
    assert (result.mode, result.size) == ("RGB", (1024, 576))
    said = assert_says(service, "/fal-together.png", task_id, cut_out.id, blend.id, "dusk", service.sink.host)
    assert said["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert said["made_by"] == [{"engine": "fal", "model": REMOVER}, {"engine": "fal", "model": EDITOR}]
    assert ingredients(said) == [("background", False, None), ("person", False, None)]


def test_a_cancelled_task_is_cancelled_at_fal(service: Service, fal: FalEmulator) -> None:
    """`DELETE` reaches the running stage, and fal."""
    task_id = service.background("/never.png", "unwanted")
    request = asked(fal, PAINTER, "unwanted")
    until(lambda: service.task(task_id).progress == QUEUED)
    assert service.http.delete(f"/task/{task_id}").status_code == 202
    until(lambda: request.cancelled)
    assert service.failure(task_id) == "cancelled"


@pytest.mark.parametrize("name", FAULTS)
def test_a_submit_that_fails(service: Service, fal: FalEmulator, name: str) -> None:
    """It is sent once; the caller reads what to do, and the key nowhere."""
    fault, code, words = FAULTS[name]
    fal.script("submit", fault)
    before = fal.posts
    task = service.ended(service.background("/never.png", name))
    assert task.error is not None
    assert (task.error.code, fal.posts - before) == (code, 1)
    assert words in task.error.message
    assert KEY not in task.model_dump_json()


def test_the_key_stands_nowhere(service: Service, run: RunningService, fal: FalEmulator) -> None:
    """In no file of the service or of its cluster, and in nothing that they tell: the failures above included."""
    task_id = service.background("/never.png", canary := "a canary in a coal mine")
    asked(fal, PAINTER, canary)
    files = dict(_files(run.data)) | dict(_files(service.logs))
    told = dict(_told(service, run))
    assert [str(where) for where, content in (files | told).items() if any(key in content for key in SECRETS)] == []
    # The search finds what is there: a prompt in the journal alone, a task in logs, and what each view is for.
    assert {path.name.partition("-")[0] for path in files if canary.encode() in files[path]} == {"journal.sqlite3"}
    assert any(b"background ended as engine_outcome_unknown" in content for content in files.values())
    assert b"AvatarGenerator" in told[f"{run.dashboard}/api/serve/applications/"]
    assert any(b"ray_aige_tasks_in_flight" in content for content in told.values())
    assert service.http.delete(f"/task/{task_id}").status_code == 202


def test_a_task_out_of_time_is_cancelled_at_fal(service: Service, fal: FalEmulator, slow: dict[str, str]) -> None:
    """What fal has not come to by the task's deadline, it need not do any more."""
    assert service.failure(slow["overdue"]) == "deadline_exceeded"
    until(lambda: asked(fal, PAINTER, "overdue").cancelled)


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError):  # some come and go
                yield path, path.read_bytes()


def _told(service: Service, run: RunningService) -> Iterator[tuple[str, bytes]]:
    """What can be asked of the service, of the dashboard and of the node's metrics."""
    scraped = service.logs / "ray/session_latest/prom_metrics_service_discovery.json"
    node = json.loads(scraped.read_bytes())[0]["targets"][0]  # after it: a port of the dashboard, another cluster's too
    token = {"Authorization": f"Bearer {run.token_file.read_text(encoding='utf-8')}"}
    for url in (f"{service.http.base_url}service", f"http://{node}/metrics", *(run.dashboard + view for view in VIEWS)):
        answer = httpx.get(url, headers=token, timeout=30, trust_env=False)
        assert answer.status_code == 200, f"{url}: {answer.text}"
        yield url, answer.content
