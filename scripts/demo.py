"""`make demo`: a photo and two scenes in words become an avatar, a background and a picture of both, in `out/`.

All of it goes through the HTTP API, as with any client. The service is the one at `AIGE_URL`; where nothing answers
there, one is started, and stopped afterwards. Exit status: 0 if all three pictures are there and right, else 1.
"""

import base64
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
from PIL import Image
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deployments.api.models import Accepted, PresignResponse, TaskResponse
from deployments.caller_settings import named_keys
from deployments.errors import InvalidImage
from deployments.media import images
from deployments.media.images import PictureLimits
from deployments.media.results import RATIO_TOLERANCE
from deployments.tasks.operations import OPERATIONS
from deployments.tasks.record import Operation, Status
from scripts.demo_service import ROOT, DemoFailed, answer, client, console, running, until_answered
from scripts.terminal import can_redraw, open_console

PHOTO = ROOT / "scripts/sample/astronaut.jpg"
OUT = ROOT / "out"

AVATAR_ID = "demo"
TASK_S = 900


class Result(NamedTuple):
    """What a task must make: its shape (width by height, in any unit or in pixels), and whether one can see through."""

    shape: tuple[int, int]
    in_pixels: bool = False
    transparent: bool = False


RESULTS = {
    Operation.AVATAR: Result((4, 3), transparent=True),
    Operation.BACKGROUND: Result((16, 9)),
    Operation.OVERLAY: Result((1024, 576), in_pixels=True),
}


def main() -> int:
    """Runs the demo."""
    url = os.environ.get("AIGE_URL", "http://127.0.0.1:8000").rstrip("/")
    try:
        with client(url, _first_key()) as http, running(http):
            _run(http)
    except DemoFailed as error:
        return _refuse(str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _refuse(f"The service at {url} did not answer: {str(error).rstrip('.') or type(error).__name__}.")
    except ImportError as error:  # of httpx, for a SOCKS proxy
        return _refuse(f"The service at {url} cannot be asked through the proxy of your environment: {error}")
    except ValidationError:
        return _refuse(f"What answers at {url} is not AIGE: set AIGE_URL.")
    except KeyboardInterrupt:
        return 130
    return 0


def _first_key() -> str:
    """The first of `AIGE_API_KEYS`; none where that is not set."""
    try:
        return next(iter(named_keys(os.environ.get("AIGE_API_KEYS", ""))), "")
    except ValueError as error:
        raise DemoFailed(f"AIGE_API_KEYS: {error}.") from None


def _refuse(reason: str) -> int:
    open_console(stderr=True).print(reason, markup=False)
    return 1


def _run(http: httpx.Client) -> None:
    """The main job."""
    for operation in Operation:
        _file(operation).unlink(missing_ok=True)
    stored = {operation: _presigned(http) for operation in Operation}
    with _Lines(http) as lines, ThreadPoolExecutor() as threads:
        avatar = threads.submit(lines.follow, Operation.AVATAR, _start_avatar(http, stored[Operation.AVATAR]))
        background = threads.submit(
            lines.follow, Operation.BACKGROUND, _start_background(http, stored[Operation.BACKGROUND])
        )
        tasks = [avatar.result(), background.result()]
        person = _downloaded(http, tasks[0])
        tasks.append(lines.follow(Operation.OVERLAY, _start_overlay(http, stored, person.height)))
    for task in tasks[1:]:
        _downloaded(http, task)
    for operation in Operation:
        console.print(f"[green]{_file(operation)}[/]")
    for note in dict.fromkeys(note for task in tasks for note in task.notes):
        console.print(escape(note), style="dim")


def _start_avatar(http: httpx.Client, place: PresignResponse) -> str:
    photo = base64.b64encode(PHOTO.read_bytes()).decode()
    body = _body("a cartoon portrait", place) | {"source_images": [photo], "aspect_ratio": "4:3"}
    return _submitted(http, "POST", "/avatar", body)


def _start_background(http: httpx.Client, place: PresignResponse) -> str:
    body = _body("a mountain lake at sunset, with pine trees and stars", place) | {"aspect_ratio": "16:9"}
    return _submitted(http, "PUT", f"/avatar/{AVATAR_ID}/background", body)


def _start_overlay(http: httpx.Client, stored: dict[Operation, PresignResponse], person_height: int) -> str:
    _, canvas_height = RESULTS[Operation.OVERLAY].shape
    params = {
        "person": stored[Operation.AVATAR].readUrl,
        "background": stored[Operation.BACKGROUND].readUrl,
        # The avatar as high as the canvas: where the photo ends, the canvas ends too.
        "position": {"x": -30, "y": 0, "scale": canvas_height / person_height},
    }
    body = _body("in the warm light of the sunset", stored[Operation.OVERLAY]) | {"params": params}
    return _submitted(http, "PUT", f"/avatar/{AVATAR_ID}/overlay", body)


def _presigned(http: httpx.Client) -> PresignResponse:
    return answer(until_answered(lambda: http.post("/storage/presign")), PresignResponse)


def _submitted(http: httpx.Client, method: str, path: str, body: dict[str, object]) -> str:
    headers = {"Idempotency-Key": uuid4().hex}  # so that it may be sent again
    response = until_answered(lambda: http.request(method, path, json=body, headers=headers))
    return answer(response, Accepted).aige_task_id


def _body(prompt: str, place: PresignResponse) -> dict[str, object]:
    return {"prompt": prompt, "avatar_id": AVATAR_ID, "writeUrl": place.writeUrl, "readUrl": place.readUrl}


class _Lines:
    """A line for each task: a bar with its stage and its time on a terminal; elsewhere, a line whenever it changes."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[status]}"),
            console=console,
            disable=not can_redraw(console),
        )

    def __enter__(self) -> "_Lines":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def follow(self, operation: Operation, task_id: str) -> TaskResponse:
        """Shows the task until it is done.

        Raises:
            DemoFailed: it ended in `error`.
        """
        started, shown = time.monotonic(), None
        stages = [Status.PENDING, *(step.status for step in OPERATIONS[operation]), Status.DONE]
        line = self._progress.add_task(operation, total=len(stages) - 1, status=Status.PENDING)
        for task in _states(self._http, task_id):
            if task.error:
                raise DemoFailed(f"The {operation} failed: {task.error.message}")
            self._progress.update(line, completed=stages.index(task.status), status=task.status)
            if task.status is not shown and not can_redraw(console):
                console.print(f"{operation:<10} {time.monotonic() - started:6.1f} s  {task.status}")
            shown = task.status
        return task


def _states(http: httpx.Client, task_id: str) -> Iterator[TaskResponse]:
    """The task at each change, to its end: from the event stream, and by polling where that breaks off."""
    give_up = time.monotonic() + TASK_S
    with suppress(httpx.TransportError):
        for task in _streamed(http, task_id):
            yield task
            if task.status.is_terminal:
                return
    while time.monotonic() < give_up:
        yield (task := answer(until_answered(lambda: http.get(f"/task/{task_id}")), TaskResponse))
        if task.status.is_terminal:
            return
        time.sleep(1)
    raise DemoFailed(f"The task {task_id} does not end.")


def _streamed(http: httpx.Client, task_id: str) -> Iterator[TaskResponse]:
    with http.stream("GET", f"/task/{task_id}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                yield TaskResponse.model_validate_json(line.removeprefix("data:"))


def _file(operation: Operation) -> Path:
    return OUT / f"{operation}.png"


def _downloaded(http: httpx.Client, task: TaskResponse) -> Image.Image:
    """The result, checked, and kept in its file.

    Raises:
        DemoFailed: it is not what was asked for.
    """
    assert task.readUrl is not None  # noqa: S101 - it is done
    data = http.get(task.readUrl, headers={"Authorization": ""}).raise_for_status().content
    try:
        image = images.decode(data, PictureLimits())
    except InvalidImage as error:
        raise DemoFailed(f"The {task.operation} is not right: {error}") from None
    wrong = "it is no PNG" if images.sniff(data) != "image/png" else _wrong_with(image, RESULTS[task.operation])
    if wrong:
        raise DemoFailed(f"The {task.operation} is not right: {wrong}.")
    OUT.mkdir(exist_ok=True)
    _file(task.operation).write_bytes(data)
    return image


def _wrong_with(image: Image.Image, result: Result) -> str | None:
    width, height = result.shape
    if result.in_pixels and image.size != result.shape:
        return f"it has {image.width}x{image.height} pixels, not {width}x{height}"
    if abs(image.width / image.height * height / width - 1) > RATIO_TOLERANCE:
        return f"it is not {width}:{height} in shape"
    if images.is_opaque(image) is result.transparent:
        return "it is opaque" if result.transparent else "it has transparent parts"
    return None


if __name__ == "__main__":
    sys.exit(main())
