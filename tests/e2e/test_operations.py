"""All three operations: their answers, their statuses, their pictures."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, pairwise

import numpy as np
import pytest
from PIL import Image

from deployments.api.answers import TaskResponse
from tests.e2e import pictures
from tests.e2e.service import PHOTO, Service

PLACE = {"x": -40.5, "y": 99.5, "scale": 0.83}
AVATAR = ["pending", "processing_avatar_model", "processing_background_removal", "uploading_image", "done"]
BACKGROUND = ["pending", "processing_avatar_model", "uploading_image", "done"]
OVERLAY = ["pending", "processing_overlay", "uploading_image", "done"]
OVERLAY_OF_A_PHOTO = [
    "pending",
    "processing_background_removal",
    "processing_overlay",
    "uploading_image",
    "done",
]


def shown(task: TaskResponse) -> list[str]:
    return [moment.status for moment in task.timeline]


def test_the_writing_routes_answer_exactly_as_documented(service: Service) -> None:
    """Whole bodies: no key more, no key less."""
    params = {"person": service.sink.url, "background": service.sink.url, "position": PLACE}
    answers = [
        service.http.post("/avatar", json=service.avatar_body("/a.png", "instant")),
        service.http.put("/avatar/a/background", json=service.background_body("/b.png", "instant")),
        service.http.put("/avatar/a/overlay", json=service.overlay_body("/o.png", params)),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    for answer in answers:
        body = answer.json()
        assert set(body) == {"aige_task_id", "avatar_id"}
        assert body["avatar_id"] == "a"
        status = service.http.get(f"/task/{body['aige_task_id']}/status").json()
        assert set(status) == {"aige_task_id", "status"}
        assert status["aige_task_id"] == body["aige_task_id"]


def test_an_avatar_shows_each_status_while_its_stage_runs(service: Service) -> None:
    """The photo, the portrait and the store are kept waiting in turn."""
    sink = service.sink
    portrait = sink.serve("/portrait.png", pictures.png(pictures.cut_out()))
    photo = sink.serve("/photo.jpg", PHOTO.read_bytes(), "image/jpeg")
    gates = {
        "processing_avatar_model": sink.gate("GET", "/photo.jpg"),
        "processing_background_removal": sink.gate("GET", "/portrait.png"),
        "uploading_image": sink.gate("PUT", "/staged-avatar.png"),
    }
    task_id = service.avatar("/staged-avatar.png", f"elsewhere {portrait}", photo)
    with ThreadPoolExecutor() as threads:
        events = threads.submit(lambda: list(service.events(task_id)))
        polled = threads.submit(service.polled, task_id)
        for status, gate in gates.items():
            gate.wait()
            service.until(task_id, status)
            assert service.task(task_id).readUrl is None
            gate.open()
    _assert_told(AVATAR, events.result(), polled.result())


def test_a_background_shows_each_status_while_its_stage_runs(service: Service) -> None:
    """The list has none of its own for the model that makes it: `processing_avatar_model` stands for that."""
    sink = service.sink
    made = sink.serve("/made.png", pictures.png(pictures.scene()))
    gates = {
        "processing_avatar_model": sink.gate("GET", "/made.png"),
        "uploading_image": sink.gate("PUT", "/staged-background.png"),
    }
    task_id = service.background("/staged-background.png", f"elsewhere {made}")
    with ThreadPoolExecutor() as threads:
        events = threads.submit(lambda: list(service.events(task_id)))
        polled = threads.submit(service.polled, task_id)
        for status, gate in gates.items():
            gate.wait()
            service.until(task_id, status)
            gate.open()
    _assert_told(BACKGROUND, events.result(), polled.result())


@pytest.mark.parametrize(
    ("name", "person", "statuses"),
    [
        ("cut-out", pictures.png(pictures.cut_out()), OVERLAY),
        ("photo", PHOTO.read_bytes(), OVERLAY_OF_A_PHOTO),
    ],
)
def test_an_overlay_shows_each_status_while_its_stage_runs(
    service: Service, name: str, person: bytes, statuses: list[str]
) -> None:
    """The background is removed only where the person still has one."""
    sink = service.sink
    params = {
        "person": sink.serve(f"/{name}-person", person),
        "background": sink.serve(f"/{name}-behind", pictures.png(pictures.scene())),
        "position": PLACE,
    }
    gates = {
        "pending": sink.gate("GET", f"/{name}-person"),
        "processing_overlay": sink.gate("GET", f"/{name}-behind"),
        "uploading_image": sink.gate("PUT", f"/{name}-together.png"),
    }
    task_id = service.overlay(f"/{name}-together.png", params)
    with ThreadPoolExecutor() as threads:
        events = threads.submit(lambda: list(service.events(task_id)))
        polled = threads.submit(service.polled, task_id)
        for status, gate in gates.items():
            gate.wait()
            service.until(task_id, status)
            gate.open()
    _assert_told(statuses, events.result(), polled.result())


def _assert_told(statuses: list[str], events: list[TaskResponse], polled: list[str]) -> None:
    """The timeline holds them all, the stream tells each change once, and polling, though it may miss some, goes on."""
    last = events[-1]
    assert shown(last) == statuses
    assert all(earlier.at <= later.at for earlier, later in pairwise(last.timeline))
    assert last.attempts == 1
    assert last.readUrl is not None
    assert all(earlier != later for earlier, later in pairwise(events))
    streamed: list[str] = [status for status, _ in groupby(event.status for event in events)]
    assert streamed == statuses[len(statuses) - len(streamed) :]
    assert len(streamed) >= len(statuses) - 1, "the stream may begin after `pending`, and skips nothing afterwards"
    rest = iter(statuses)
    assert all(status in rest for status in polled)
    assert polled[-1] == "done"


def test_avatars_are_cut_outs_in_every_ratio(service: Service) -> None:
    """With transparency around the person, none within; the bytes are where `readUrl` says, as `image/png`."""
    tasks = {
        ratio: service.avatar(f"/avatar-{number}.png", "a watercolour portrait", aspect_ratio=ratio)
        for number, ratio in enumerate(pictures.RATIOS)
    }
    for number, (ratio, task_id) in enumerate(tasks.items()):
        task = service.ended(task_id)
        assert (shown(task), task.engine, task.operation) == (AVATAR, "by-prompt", "avatar")
        path = f"/avatar-{number}.png"
        assert task.readUrl == service.sink.url + path
        assert service.sink.objects[path].content_type == "image/png"
        picture = pictures.opened(service.sink.objects[path].body)
        assert picture.mode == "RGBA"
        assert picture.width / picture.height == pytest.approx(pictures.RATIOS[ratio], rel=0.01)
        alpha = np.asarray(picture)[..., 3]
        assert (alpha == 0).mean() > 0.1
        assert (alpha == 255).mean() > 0.1
        assert alpha[alpha.shape[0] // 2, alpha.shape[1] // 2] == 255


def test_backgrounds_are_opaque_in_every_ratio(service: Service) -> None:
    """And they show something."""
    tasks = {
        ratio: service.background(f"/background-{number}.png", "a lake at dawn", aspect_ratio=ratio)
        for number, ratio in enumerate(pictures.RATIOS)
    }
    for number, (ratio, task_id) in enumerate(tasks.items()):
        assert shown(service.ended(task_id)) == BACKGROUND
        picture = pictures.opened(service.sink.objects[f"/background-{number}.png"].body)
        assert picture.mode == "RGB"
        assert picture.width / picture.height == pytest.approx(pictures.RATIOS[ratio], rel=0.01)
        assert np.asarray(picture).std() > 5


@pytest.mark.parametrize("ratio", pictures.RATIOS)
def test_what_a_model_returns_is_cropped_to_the_ratio(service: Service, ratio: str) -> None:
    """A square of 64 pixels, whatever was asked."""
    square = service.sink.serve("/square.png", _square())
    tasks = [
        service.avatar("/cropped-avatar.png", f"elsewhere {square}", aspect_ratio=ratio),
        service.background("/cropped-background.png", "instant", aspect_ratio=ratio),
    ]
    for task_id, path in zip(tasks, ("/cropped-avatar.png", "/cropped-background.png"), strict=True):
        assert service.ended(task_id).status == "done"
        picture = pictures.opened(service.sink.objects[path].body)
        assert abs(picture.width - picture.height * pictures.RATIOS[ratio]) <= 0.5


def _square() -> bytes:
    return pictures.png(pictures.cut_out((64, 64)))


def test_without_a_ratio_it_is_square_and_null_counts_as_absent(service: Service) -> None:
    """The documented defaults."""
    tasks = [
        service.background("/default.png", "instant"),
        service.background("/null.png", "instant", aspect_ratio=None),
    ]
    for task_id, path in zip(tasks, ("/default.png", "/null.png"), strict=True):
        assert service.ended(task_id).status == "done"
        assert pictures.opened(service.sink.objects[path].body).size == (64, 64)


@pytest.mark.parametrize(
    ("x", "y", "scale"),
    [(0, 0, 1), (-40.5, 99.5, 0.83), (700, -120, 0.377), (-150.49, 20.51, 2.6), (5000, 5000, 1), (10, 10, 0.0001)],
)
def test_an_overlay_is_exact_to_the_pixel(service: Service, x: float, y: float, scale: float) -> None:
    """On every canvas: no pixel differs from what a client's preview shows."""
    behind, person = pictures.scene(), pictures.cut_out()
    params = {
        "person": service.sink.serve("/exact-person.png", pictures.png(person)),
        "background": service.sink.serve("/exact-behind.png", pictures.png(behind)),
        "position": {"x": x, "y": y, "scale": scale},
    }
    tasks = {
        preset: service.overlay(f"/exact-{preset}.png", params, aspect_ratio=preset) for preset in pictures.CANVASES
    }
    for preset, task_id in tasks.items():
        assert service.ended(task_id).status == "done"
        made = pictures.opened(service.sink.objects[f"/exact-{preset}.png"].body)
        expected = pictures.composed(behind, person, pictures.CANVASES[preset], x, y, scale)
        assert (made.mode, made.size) == ("RGB", pictures.CANVASES[preset])
        assert np.count_nonzero(np.asarray(made) != np.asarray(expected)) == 0


def test_a_person_of_48_megapixels_is_as_large_as_its_pixels_say(service: Service) -> None:
    """The photo is decoded at half of its sides and cut out; `scale` goes on meaning the photo's own pixels."""
    photo, scale = Image.open(PHOTO).resize((8064, 6048)), 1024 / 8064
    background = service.sink.serve("/green.png", pictures.png(Image.new("RGB", (1024, 768), (0, 160, 0))))
    made = []
    for name, factor in (("large", 1), ("small", 8)):
        person = io.BytesIO()
        photo.resize((8064 // factor, 6048 // factor), Image.Resampling.BOX).save(person, "JPEG", quality=90)
        params = {
            "person": service.sink.serve(f"/{name}.jpg", person.getvalue(), "image/jpeg"),
            "background": background,
            "position": {"x": 0, "y": 0, "scale": scale * factor},
        }
        task_id = service.overlay(f"/of-{name}.png", params, aspect_ratio="landscape_4_3")
        assert service.ended(task_id).status == "done"
        made.append(np.asarray(pictures.opened(service.sink.objects[f"/of-{name}.png"].body), int))
    large, small = made
    assert np.abs(large - small).mean() < 4
    assert np.abs(large - np.array((0, 160, 0))).mean() > 20


def test_an_overlay_of_our_own_results_is_exact_too(service: Service) -> None:
    """The main job: avatar and background from the built-in store, put together, and stored there."""
    stored = [service.http.post("/storage/presign").json() for _ in range(3)]
    avatar, background, overlay = ({name: one[name] for name in ("writeUrl", "readUrl")} for one in stored)
    made = [
        service.avatar("", "a cartoon pilot", aspect_ratio="3:4", **avatar),
        service.background("", "mountains at sunset", aspect_ratio="16:9", **background),
    ]
    assert [service.ended(task_id).status for task_id in made] == ["done", "done"]
    place = {"x": 256.5, "y": 30, "scale": 0.54}
    params = {"person": avatar["readUrl"], "background": background["readUrl"], "position": place}
    assert service.ended(service.overlay("", params, **overlay)).readUrl == overlay["readUrl"]
    person, behind, together = (
        pictures.opened(service.http.get(one["readUrl"]).content) for one in (avatar, background, overlay)
    )
    expected = pictures.composed(behind, person, (1024, 576), **place)
    assert np.count_nonzero(np.asarray(together) != np.asarray(expected)) == 0


def test_a_photo_comes_in_every_documented_way(service: Service) -> None:
    """A URL, a data URI, bare base64; and one of 10 MB among them."""
    photo = base64.b64encode(PHOTO.read_bytes()).decode()
    noise = np.random.default_rng(7).integers(0, 256, (1900, 1900, 3), dtype=np.uint8)
    large = pictures.png(Image.fromarray(noise))
    assert 10_000_000 < len(large) < 20_000_000
    portrait = service.sink.serve("/any.png", _square())
    sources = [
        service.sink.serve("/any.jpg", PHOTO.read_bytes(), "image/jpeg"),
        f"data:image/jpeg;base64,{photo}",
        photo,
        base64.b64encode(large).decode(),
    ]
    tasks = [service.avatar("/any-out.png", f"elsewhere {portrait}", source) for source in sources]
    assert [service.ended(task_id).status for task_id in tasks] == ["done"] * 4


def test_fifty_tasks_at_once_all_end(service: Service) -> None:
    """Each with its own result where it was wanted."""
    tasks = [service.background(f"/many-{number}.png", "instant") for number in range(50)]
    assert {service.ended(task_id).status for task_id in tasks} == {"done"}
    assert all(len(service.sink.requests[f"/many-{number}.png"]) == 1 for number in range(50))
