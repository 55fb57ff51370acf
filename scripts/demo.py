"""`make demo`: a photo and two scenes in words become an avatar, a background and a picture of both, in `out/`.

All of it goes through the HTTP API: by the Python client and, for the last picture, the command line. The service is
the one at `AIGE_URL`; where nothing answers there, one is started, and stopped afterwards. Exit status: 0 if all three
pictures are there and right, else 1.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
from PIL import Image
from pydantic import ValidationError
from rich.markup import escape

from aige.client import Client, ClientError, Task, TaskEnded
from aige.commands import main as command_line
from aige.progress import Progress
from aige.requests import settings_of
from deployments.api.answers import TaskResponse
from deployments.errors import InvalidImage
from deployments.media import images
from deployments.media.images import PictureLimits
from deployments.media.results import RATIO_TOLERANCE
from deployments.tasks.record import Operation
from scripts.demo_service import ROOT, DemoFailed, client, console, running
from scripts.terminal import open_console

PHOTO = ROOT / "scripts/sample/astronaut.jpg"
OUT = ROOT / "out"

AVATAR_ID = "demo"


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
    url, key = settings_of(None, None)
    try:
        with client(url, key or "") as http, running(http), Client(url, key) as aige:
            _run(aige)
    except (DemoFailed, ClientError) as error:
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


def _refuse(reason: str) -> int:
    open_console(stderr=True).print(reason, markup=False)
    return 1


def _run(aige: Client) -> None:
    """The main job: the avatar and the background at once, then both together."""
    for operation in Operation:
        _file(operation).unlink(missing_ok=True)
    with Progress(console) as progress, ThreadPoolExecutor() as threads:

        def follow(operation: Operation, submit: Callable[[], Task]) -> tuple[Task, TaskResponse]:
            return _ended(operation, submit(), progress)

        avatar = threads.submit(
            follow,
            Operation.AVATAR,
            lambda: aige.avatar(PHOTO, "a cartoon portrait", ratio="4:3", avatar_id=AVATAR_ID),
        )
        background = threads.submit(
            follow,
            Operation.BACKGROUND,
            lambda: aige.background(
                "a mountain lake at sunset, with pine trees and stars", ratio="16:9", avatar_id=AVATAR_ID
            ),
        )
        ended = [avatar.result(), background.result()]
    height = _kept(Operation.AVATAR, ended[0][0]).height
    _kept(Operation.BACKGROUND, ended[1][0])
    for operation in (Operation.AVATAR, Operation.BACKGROUND):
        console.print(f"[green]{_file(operation)}[/]")
    for note in dict.fromkeys(note for _, task in ended for note in task.notes):
        console.print(escape(note), style="dim")
    _compose(aige.url, height)


def _compose(url: str, person_height: int) -> None:
    """Both together, by the command line, which shows how that gets on.

    Raises:
        DemoFailed: there is no such picture.
    """
    _, canvas_height = RESULTS[Operation.OVERLAY].shape
    # The avatar as high as the canvas: where the photo ends, the canvas ends too.
    place = ["--x", "-30", "--y", "0", "--scale", str(canvas_height / person_height)]
    pictures = [str(_file(operation)) for operation in (Operation.AVATAR, Operation.BACKGROUND)]
    output = _file(Operation.OVERLAY)
    words = ["--prompt", "in the warm light of the sunset", "--url", url, "-o", str(output)]
    if command_line(["compose", *pictures, *place, *words]):
        raise DemoFailed("The overlay could not be made.")
    _check(Operation.OVERLAY, output.read_bytes())


def _ended(operation: Operation, task: Task, progress: Progress) -> tuple[Task, TaskResponse]:
    """Shows the task until it is done.

    Raises:
        DemoFailed: it ended in `error`.
    """
    try:
        return task, task.wait(progress.line(operation))
    except TaskEnded as error:
        raise DemoFailed(f"The {operation} failed: {error}") from None


def _kept(operation: Operation, task: Task) -> Image.Image:
    """The result, checked, and kept in its file.

    Raises:
        DemoFailed: it is not what was asked for.
    """
    data = task.picture()
    image = _check(operation, data)
    OUT.mkdir(exist_ok=True)
    _file(operation).write_bytes(data)
    return image


def _check(operation: Operation, data: bytes) -> Image.Image:
    """The result, decoded.

    Raises:
        DemoFailed: it is not what was asked for.
    """
    try:
        image = images.decode(data, PictureLimits())
    except InvalidImage as error:
        raise DemoFailed(f"The {operation} is not right: {error}") from None
    wrong = "it is no PNG" if images.sniff(data) != "image/png" else _wrong_with(image, RESULTS[operation])
    if wrong:
        raise DemoFailed(f"The {operation} is not right: {wrong}.")
    return image


def _file(operation: Operation) -> Path:
    return OUT / f"{operation}.png"


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
