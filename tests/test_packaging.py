"""The wheel, installed where there is nothing else: it serves with its studio, and keeps its data where it starts."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import PATIENCE_S, ROOT, own_ports

SOURCES = (
    "aige",
    "deployments",
    "scripts",
    "frontend/dist",
    "graph.py",
    "serve_config.yaml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since building leaves its traces beside the sources."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        (copy / name).parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    uv("build", "--no-build-isolation", "--python", sys.executable, str(copy))
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a virtual environment: the wheel in it, and what the wheel needs lent by the tests' own."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder / "venv", symlinks=True)
    (site_packages(folder) / "lent.pth").write_text(sysconfig.get_path("purelib"))  # without our editable installation
    uv("pip", "install", "--no-deps", "--no-index", "--python", str(folder / "venv/bin/python"), str(wheel))
    return folder


@pytest.fixture(scope="module")
def before(installed: Path) -> set[Path]:
    """What is installed before the first start."""
    return files(site_packages(installed))


@pytest.fixture(scope="module")
def run(installed: Path, before: set[Path]) -> Iterator[subprocess.Popen[str]]:
    """`aige`, in that folder, with an empty home."""
    assert before
    home = installed / "home"
    home.mkdir()
    with subprocess.Popen(
        [str(installed / "venv/bin/aige"), "--port", "0"],
        cwd=installed,
        env={"HOME": str(home), "PATH": os.defpath, **own_ports()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        try:
            yield run
        finally:
            run.terminate()
            run.wait(60)


@pytest.fixture(scope="module")
def service(run: subprocess.Popen[str]) -> Iterator[httpx.Client]:
    """The same, once it is ready."""
    assert run.stdout
    heard = []
    for line in run.stdout:
        heard.append(line)
        if line.startswith("Ready at "):
            break
    assert heard[-1].startswith("Ready at "), "".join(heard)
    with httpx.Client(base_url=heard[-1].split()[-1], timeout=15, trust_env=False) as client:
        yield client


def uv(*arguments: str) -> None:
    """With no network and none of this machine's settings."""
    command = [str(Path(sys.executable).with_name("uv")), "--offline", "--no-config", "--no-cache", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def site_packages(folder: Path) -> Path:
    """Of the virtual environment there."""
    (found,) = (folder / "venv/lib").glob("python*/site-packages")
    return found


def files(folder: Path) -> set[Path]:
    """But for Python's own cache of what it has compiled."""
    return {file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts}


def test_it_serves_its_studio(service: httpx.Client) -> None:
    """The page, and the script that it names."""
    page = service.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    script = page.text.partition('src="')[2].partition('"')[0]
    assert script.endswith(".js")  # the page that stands in for a missing studio has none
    assert service.get(script).status_code == 200


def test_it_makes_a_picture(service: httpx.Client, installed: Path, before: set[Path]) -> None:
    """By its own store, which lies in the folder that it was started in; nothing lies beside the code."""
    urls = service.post("/api/v1/storage/presign").json()
    wish = {"prompt": "a lake at dawn", "aspect_ratio": "16:9", "avatar_id": "ada"}
    asked = {**wish, "writeUrl": urls["writeUrl"], "readUrl": urls["readUrl"]}
    task = service.put("/api/v1/avatar/ada/background", json=asked).json()["aige_task_id"]
    give_up = time.monotonic() + PATIENCE_S
    while (status := service.get(f"/api/v1/task/{task}/status").json()["status"]) not in ("done", "error"):
        assert time.monotonic() < give_up, status
        time.sleep(0.2)
    assert status == "done"
    assert service.get(urls["readUrl"]).content.startswith(b"\x89PNG")
    assert (installed / "var/journal.sqlite3").is_file()
    assert files(installed / "var/objects")
    assert files(site_packages(installed)) == before


def test_its_commands_make_pictures(service: httpx.Client, installed: Path) -> None:
    """From an empty home: an avatar, a background, and both together."""
    photo = str(ROOT / "scripts/sample/astronaut.jpg")
    for words in (
        ["avatar", photo, "--prompt", "a cartoon", "-o", "avatar.png"],
        ["background", "--prompt", "a lake at dawn", "-o", "background.png"],
        ["compose", "avatar.png", "background.png", "-o", "picture.png"],
    ):
        run = subprocess.run(
            [str(installed / "venv/bin/aige"), *words, "--url", str(service.base_url)],
            cwd=installed,
            env={"HOME": str(installed / "home"), "PATH": os.defpath},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (run.returncode, run.stdout) == (0, f"{words[-1]}\n"), run.stderr
        assert (installed / words[-1]).read_bytes().startswith(b"\x89PNG")


def test_it_is_typed(installed: Path) -> None:
    """Whoever imports it has our types."""
    for package in ("aige", "deployments"):
        assert (site_packages(installed) / package / "py.typed").is_file()


def test_it_stops(service: httpx.Client, run: subprocess.Popen[str], installed: Path) -> None:
    """From another shell, by the wheel's other command; it says that it was stopped, and not that its cluster died."""
    command = [str(installed / "venv/bin/aige-stop")]
    environment = {"HOME": str(installed / "home"), "PATH": os.defpath}
    stopped = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert (stopped.returncode, stopped.stdout.splitlines()[0]) == (0, "Stopped.")
    with pytest.raises(httpx.ConnectError):
        service.get("/")
    said, _ = run.communicate()
    assert (run.returncode, said.splitlines()[-1]) == (0, "Stopped.")
