"""The command line, against a service of its own making: what it sends, prints and leaves."""

import io
import json
import os
import resource
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from PIL import Image

from aige.client import Client
from aige.commands import main
from deployments.api.app import Parts, build_api
from deployments.errors import NoPersonFound
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings
from deployments.tasks.record import Failure
from deployments.tasks.work import AvatarJob, OverlayJob, Work
from tests.api.in_process import LOCAL, InProcess
from tests.media.provenance.files import picture, signed


class Painter(InProcess):
    """Its last step puts a picture where the result is wanted, as the Uploader does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Settings())
        self.folder = folder
        self.outcome = self._paint

    def _paint(self, work: Work) -> Work:
        key = work.job.write_url.partition("/objects/")[2].partition("?")[0]
        (self.folder / key).write_bytes(picture())
        return work


@pytest.fixture
def backend(tmp_path: Path) -> Painter:
    return Painter(tmp_path / "objects")


@pytest.fixture
def url(backend: Painter) -> Iterator[str]:
    """Of the API, served for real: the command line opens connections."""
    store = BuiltinStore(backend.folder, b"secret", max_bytes=20_000_000)
    parts = Parts(settings=Settings(), backend=backend, store=store, engines=LOCAL)
    server = uvicorn.Server(uvicorn.Config(build_api(parts), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    (port,) = (s.getsockname()[1] for one in server.servers for s in one.sockets)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(picture((400, 200), "JPEG"))
    return tmp_path / "photo.jpg"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.png"


def test_an_avatar(url: str, backend: Painter, photo: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file's name is printed; how the task gets on goes to stderr, a line a status."""
    assert main(["avatar", str(photo), "--prompt", "a pilot", "-o", str(out), "--ratio", "4:3", "--url", url]) == 0
    assert out.read_bytes() == picture()
    printed = capsys.readouterr()
    assert printed.out == f"{out}\n"
    assert printed.err.splitlines()[-1].split()[-1] == "done"
    job = backend.works[0].job
    assert isinstance(job, AvatarJob)
    assert (job.prompt, job.ratio, job.photos[0].data) == ("a pilot", "4:3", photo.read_bytes())


def test_a_background(url: str, backend: Painter, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address may be in the environment."""
    monkeypatch.setenv("AIGE_URL", url)
    assert main(["background", "-p", "a sea", "-o", str(out)]) == 0
    assert out.read_bytes() == picture()
    assert backend.works[0].job.prompt == "a sea"


def test_a_composition(url: str, backend: Painter, photo: Path, out: Path) -> None:
    """Where nothing is said, the person is as high as the canvas, and stands in its middle."""
    assert main(["compose", str(photo), str(photo), "-o", str(out), "--canvas", "square", "--url", url]) == 0
    place = ["--x", "1", "--y", "-2", "--scale", "0.5"]
    assert main(["compose", str(photo), str(photo), "-o", str(out), *place, "--url", url]) == 0
    jobs = [work.job for work in backend.works]
    assert [(job.x, job.y, job.scale) for job in jobs if isinstance(job, OverlayJob)] == [
        ((512 - 400 * 2.56) / 2, 0, 2.56),
        (1, -2, 0.5),
    ]


def test_a_photo_is_placed_as_it_is_seen(url: str, backend: Painter, photo: Path, out: Path) -> None:
    """Phones store portraits on their side, and say so."""
    turned = Image.Exif()
    turned[0x112] = 6
    Image.open(photo).save(photo, exif=turned)
    assert main(["compose", str(photo), str(photo), "-o", str(out), "--canvas", "square", "--url", url]) == 0
    job = backend.works[0].job
    assert isinstance(job, OverlayJob)
    assert (job.x, job.y, job.scale) == ((512 - 200 * 1.28) / 2, 0, 1.28)


def test_a_photo_may_have_more_pixels_than_pillow_takes(url: str, backend: Painter, photo: Path, out: Path) -> None:
    """The service decodes a large JPEG smaller."""
    content = photo.read_bytes()
    at = content.index(b"\xff\xc0") + 5  # height and width, in the frame's header
    photo.write_bytes(content[:at] + struct.pack(">HH", 12_000, 16_000) + content[at + 4 :])
    assert main(["compose", str(photo), str(photo), "-o", str(out), "--canvas", "square", "--url", url]) == 0
    assert backend.works[0].job.write_url


def test_a_picture_is_verified(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the service answers, as JSON."""
    (tmp_path / "picture.png").write_bytes(signed())
    assert main(["verify", str(tmp_path / "picture.png"), "--url", url]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["avatar", "missing.jpg", "-p", "x"], "missing.jpg cannot be read: No such file or directory."),
        (["compose", "missing.png", "missing.png"], "missing.png cannot be read: No such file or directory."),
        (
            ["compose", __file__, __file__],
            f"{__file__}: The picture is not a PNG, JPEG or WebP file: send it in one of these formats.",
        ),
        (["background", "-p", " "], "prompt: must say something: it is only white space."),
    ],
)
def test_what_cannot_be_is_one_line(
    url: str, out: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status is 1."""
    assert main([*words, "-o", str(out), "--url", url]) == 1
    assert capsys.readouterr().err == f"{said}\n"
    assert not out.exists()


def test_a_task_that_fails_is_one_line(
    url: str, backend: Painter, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the service's words."""
    backend.outcome = lambda _: Failure.of(NoPersonFound("Nobody is there."))
    assert main(["background", "-p", "a sea", "-o", str(out), "--url", url]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "The background failed: Nobody is there."
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "reason"), [("/no/such/folder/x.png", "there is no /no/such/folder"), ("/", "it is a folder")]
)
def test_a_file_that_cannot_be_written_is_one_line(
    url: str, backend: Painter, file: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file, and nothing has been started, or paid for."""
    assert main(["background", "-p", "a sea", "-o", file, "--url", url]) == 1
    assert f"{file} cannot be written: {reason}." in capsys.readouterr().err
    assert backend.works == []


def test_a_name_that_is_too_long_is_an_error(url: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found before the task is started by Python up to 3.13, and afterwards by later ones."""
    assert main(["background", "-p", "a sea", "-o", f"{out}{'x' * 300}", "--url", url]) == 1
    assert "cannot be written: " in capsys.readouterr().err


@pytest.fixture
def disk_fills_up(backend: Painter) -> Iterator[None]:
    """Once the result is made, no file may have more than ten bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def paint_and_fill(work: Work) -> Work:
        painted = backend._paint(work)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        return painted

    backend.outcome = paint_and_fill
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("disk_fills_up")
def test_a_full_disk_costs_nobody_a_picture(
    url: str, backend: Painter, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the old one nor the new one, whose place is told; no half of it is left."""
    out.write_bytes(b"the picture of yesterday")
    before = {*tmp_path.iterdir()}
    assert main(["background", "-p", "a sea", "-o", str(out), "--url", url]) == 1
    said = capsys.readouterr().err
    assert f"{out} cannot be written: File too large." in said
    assert backend.works[0].task_id in said
    assert str(backend.works[0].job.read_url) in said
    assert out.read_bytes() == b"the picture of yesterday"
    assert {*tmp_path.iterdir()} == before


def test_a_link_and_a_pipe_stay_what_they_are(url: str, tmp_path: Path) -> None:
    """The picture goes where they lead."""
    (tmp_path / "link").symlink_to("file")
    reading, writing = os.pipe()
    for place in (str(tmp_path / "link"), f"/dev/fd/{writing}"):
        assert main(["background", "-p", "a sea", "-o", place, "--url", url]) == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == os.read(reading, 100_000) == picture()
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    "words", [["avatar"], ["nonsense"], ["background", "-o", "x"], ["avatar", "x", "--ratio", "2"]]
)
def test_a_wrong_command_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: aige" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--port", "none"], ["serve", "--port", "none"]])
def test_without_a_command_it_is_the_service(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As ever; here with a wrong option, so that none starts."""
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("--port none (with make: PORT=none): must be a number")


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """As on a terminal: a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_cancels_the_task(url: str, backend: Painter, out: Path) -> None:
    """At the service too."""
    backend.release.clear()

    def interrupt() -> None:
        while not backend.asked_for:  # by the event stream
            pass
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    assert main(["background", "-p", "a sea", "-o", str(out), "--url", url]) == 130
    interrupting.join()
    with Client(url) as client:
        assert client.task(backend.works[0].task_id).status == "error"
    assert not out.exists()


def test_where_nothing_answers_it_says_so(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, and what to do."""
    assert main(["background", "-p", "a sea", "-o", str(out), "--url", "http://127.0.0.1:9"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Nothing answers at http://127.0.0.1:9 (")
    assert "start AIGE there, or name another address" in said


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Of both kinds."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(word in said for word in ("serve", "avatar", "background", "compose", "verify"))


def test_the_sizes_are_those_of_the_tests(photo: Path) -> None:
    """The numbers above come from it."""
    assert Image.open(io.BytesIO(photo.read_bytes())).size == (400, 200)
