"""The command `aige`: starts the service, or asks one for pictures.

    aige                                            starts the service (as `aige serve`)
    aige avatar PHOTO … --prompt TEXT -o FILE       cuts the person in the photos out, drawn as the prompt says
    aige background --prompt TEXT -o FILE           makes a scene
    aige compose PERSON BACKGROUND -o FILE          puts the one on the other
    aige verify PICTURE                             says what a picture's content credentials say

Exit status: 0, or 1 where there is no picture, or 2 where the command is wrong, or 130 after Ctrl-C.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from rich.markup import escape

from aige.client import Client, ClientError, Task, TaskEnded
from aige.progress import Progress
from aige.requests import is_url
from deployments.api.models import MAX_SCALE
from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, size_of
from deployments.media.sizes import AspectRatio, CanvasSize, Size
from scripts.terminal import open_console

START_S = 2
"""How long the service may be away when the command begins; later on, it is waited for longer."""
RATIOS, CANVASES = [str(ratio) for ratio in AspectRatio], [str(canvas) for canvas in CanvasSize]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words or words[0] == "serve" or (words[0].startswith("-") and words[0] not in {"-h", "--help"}):
        from scripts.run import main as serve

        return serve([word for at, word in enumerate(words) if at or word != "serve"])
    options = _parser().parse_args(words)
    try:
        with Client(options.url, options.key, patience_s=START_S) as client:
            client.service()  # where nothing answers, nobody waits for long
        with Client(options.url, options.key) as client:
            return int(options.run(client, options))
    except ClientError as error:
        open_console(stderr=True).print(escape(str(error)), style="red")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aige", description="Without a command, or with `serve`: starts the service. Else, asks one for pictures."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("serve", help="start the service; `aige serve --help` names its options", add_help=False)
    avatar = _command(commands, "avatar", "a cut-out of the person in the photos", _avatar)
    avatar.add_argument("photos", nargs="+", metavar="PHOTO", help="files or URLs, at most eight")
    avatar.add_argument("--ratio", choices=RATIOS, default="1:1", help="width to height; by default 1:1")
    background = _command(commands, "background", "a scene", _background)
    background.add_argument("--ratio", choices=RATIOS, default="16:9", help="width to height; by default 16:9")
    for made in (avatar, background):
        made.add_argument("-p", "--prompt", required=True, help="what it is to look like")
    compose = _command(commands, "compose", "a person on a background", _compose)
    compose.add_argument("person", metavar="PERSON", help="a file or a URL")
    compose.add_argument("background", metavar="BACKGROUND", help="a file or a URL")
    compose.add_argument("-p", "--prompt", default="together", help="for engines that blend the two")
    compose.add_argument("--canvas", choices=CANVASES, default="landscape_16_9", help="by default landscape_16_9")
    compose.add_argument("--x", type=float, help="the person's left edge, in pixels; by default in the middle")
    compose.add_argument("--y", type=float, help="the person's upper edge, in pixels; by default on the lower edge")
    compose.add_argument("--scale", type=float, help="of the person's own size; by default as high as the canvas")
    for asked in (avatar, background, compose):
        asked.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where the PNG goes")
        asked.add_argument("--avatar-id", default="avatar", help="the name under which the service keeps it")
    verify = _command(commands, "verify", "what a picture's content credentials say", _verify)
    verify.add_argument("picture", metavar="PICTURE", help="a file or a URL")
    return parser


Run = Callable[[Client, argparse.Namespace], int]


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str, run: Run
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=says, description=says.capitalize() + ".")
    command.add_argument("--url", help="the service; by default AIGE_URL, or http://127.0.0.1:8000")
    command.add_argument("--key", help="an API key; by default AIGE_KEY, or the first of AIGE_API_KEYS")
    command.set_defaults(run=run)
    return command


def _avatar(client: Client, options: argparse.Namespace) -> int:
    def submit() -> Task:
        return client.avatar(options.photos, options.prompt, ratio=options.ratio, avatar_id=options.avatar_id)

    return _saved("avatar", submit, options.output)


def _background(client: Client, options: argparse.Namespace) -> int:
    def submit() -> Task:
        return client.background(options.prompt, ratio=options.ratio, avatar_id=options.avatar_id)

    return _saved("background", submit, options.output)


def _compose(client: Client, options: argparse.Namespace) -> int:
    canvas = CanvasSize(options.canvas).pixels
    person = client.download(options.person) if is_url(options.person) else _bytes_at(options.person)
    width, height = _size_of(person, options.person)
    scale = min(canvas[1] / height, MAX_SCALE) if options.scale is None else options.scale

    def submit() -> Task:
        return client.compose(
            options.person if is_url(options.person) else person,
            options.background,
            options.prompt,
            x=(canvas[0] - width * scale) / 2 if options.x is None else options.x,
            y=canvas[1] - height * scale if options.y is None else options.y,
            scale=scale,
            canvas=options.canvas,
            avatar_id=options.avatar_id,
        )

    return _saved("overlay", submit, options.output)


def _verify(client: Client, options: argparse.Namespace) -> int:
    """Prints what the service answers, as JSON."""
    print(json.dumps(client.verify(options.picture).model_dump(), indent=2, ensure_ascii=False))
    return 0


def _saved(operation: str, submit: Callable[[], Task], output: Path) -> int:
    """Starts the task, shows its progress, and keeps its result. Ctrl-C cancels it.

    Raises:
        ClientError: there is no result, or it cannot be written.
    """
    _check_place(output)
    console = open_console(stderr=True)
    task = submit()
    try:
        with Progress(console) as progress:
            done = task.wait(progress.line(operation))
        _write(output, task.picture())
    except KeyboardInterrupt:
        task.cancel()
        raise
    except TaskEnded as error:
        raise ClientError(f"The {operation} failed: {error}") from None
    except ClientError as error:
        raise ClientError(f"{error} The picture of task {task.id} is at {task.read_url} once it is done.") from None
    open_console().print(str(output), markup=False)
    for note in done.notes:
        console.print(escape(note), style="dim")
    return 0


def _check_place(output: Path) -> None:
    """Looks where the result is to go, before anybody pays for it.

    Raises:
        ClientError: no file can be there.
    """
    try:
        path = output.resolve()
        reason = "it is a folder" if path.is_dir() else "" if path.parent.is_dir() else f"there is no {path.parent}"
    except (OSError, RuntimeError) as error:  # a name that is too long, or a link to itself
        reason = str(error)
    if reason:
        raise ClientError(f"{output} cannot be written: {reason}.")


def _write(output: Path, content: bytes) -> None:
    """Whole or not at all. What is neither a file nor new, such as /dev/stdout, is written to as it is."""
    path = output.resolve()  # a link stays one
    unfinished = path.with_name(f".{uuid4()}.part")
    try:
        if output.exists() and not output.is_file():
            output.write_bytes(content)
            return
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ClientError(f"{output} cannot be written: {error.strerror}.") from None


def _bytes_at(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}.") from None


def _size_of(data: bytes, name: str) -> Size:
    try:
        return size_of(data, PictureLimits(bytes=sys.maxsize))  # what is too large, the service says
    except InvalidImage as error:
        raise ClientError(f"{name}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
