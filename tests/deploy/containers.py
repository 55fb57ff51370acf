"""AIGE's image, built and run by podman, with no registry: the base is Debian's own packages.

What is built is kept in `~/.cache/aige-tests`, so that on the same machine only what has changed is built again; what
is older than two days is removed.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
KEPT = Path.home() / ".cache/aige-tests"
BASE, IMAGE = "localhost/aige-tests-base:bookworm", "localhost/aige-tests:latest"
PACKAGES = "python3,python3-venv,ca-certificates,wget,bash"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

_CONTAINERS = """\
[containers]
netns = "none"
cgroupns = "host"
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{0}/graph"
runroot = "{0}/run"
"""
HARDENED = (
    "--read-only",
    "--user=10001:10001",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp:rw,mode=1777",
    "--shm-size=512m",
    "--network=none",
)
"""As the chart and compose.yaml run it; and with no network but its own loopback."""


def podman(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command of podman's, and fails with what it says."""
    return _run(["podman", *arguments], check=check)


def started(arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A command of podman's that goes on, and writes to `log`."""
    program = shutil.which("podman") or ""
    return subprocess.Popen([program, *arguments], cwd=ROOT, env=_environment(), stdout=log, stderr=log)


def _run(command: list[str], check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    for program in ("podman", "mmdebstrap", "runc"):
        assert shutil.which(program), f"these tests need {program}: install Debian's package of that name"
    ran = subprocess.run(
        command, cwd=ROOT, env=_environment() | environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0 or not check, f"{' '.join(command)}: {ran.stdout}{ran.stderr}"
    return ran


def _environment() -> dict[str, str]:
    KEPT.mkdir(parents=True, exist_ok=True)
    containers, storage = KEPT / "containers.conf", KEPT / "storage.conf"
    containers.write_text(_CONTAINERS)
    storage.write_text(_STORAGE.format(KEPT))
    return os.environ | {"CONTAINERS_CONF": str(containers), "CONTAINERS_STORAGE_CONF": str(storage)}


def build() -> str:
    """Builds the image as `make image` does, but for its bases and the studio, which is there; returns its name."""
    if podman("image", "exists", BASE, check=False).returncode != 0:
        _make_base()
    arguments = ["--isolation=chroot", "--layers", "--pull=never", "--build-arg=STUDIO=given"]
    arguments += [f"--build-arg={name}={BASE}" for name in ("PYTHON_IMAGE", "NODE_IMAGE")]
    # The host's certificate authorities, for networks with their own.
    arguments += [f"--volume={CERTIFICATES}:{CERTIFICATES}:ro"]
    _run(["bash", "scripts/image.sh", *arguments], IMAGE=IMAGE, BUILDER="podman")
    podman("image", "prune", "--force", "--filter=until=48h", check=False)  # what a killed build holds stays
    return IMAGE


def _make_base() -> None:
    archive = KEPT / "base.tar"
    without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    _run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", *without, "bookworm", str(archive)])
    podman("import", "--quiet", str(archive), BASE)
    archive.unlink()


def inspected(kind: str, name: str) -> Mapping[str, Any]:
    """What podman knows of an image or a container."""
    found: Mapping[str, Any] = json.loads(podman(kind, "inspect", name).stdout)[0]
    return found


@contextmanager
def container(image: str, name: str, *options: str, command: tuple[str, ...] = ()) -> Iterator[str]:
    """A running one, hardened; gone afterwards."""
    podman("run", "--detach", "--replace", f"--name={name}", *HARDENED, *options, image, *command)
    try:
        yield name
    finally:
        podman("rm", "--force", "--time=1", name)


def inside(name: str, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of this machine's in the container's network."""
    process = str(inspected("container", name)["State"]["Pid"])
    enter = ["nsenter", f"--net=/proc/{process}/ns/net", *command]
    return subprocess.run(enter, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
