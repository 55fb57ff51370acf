"""The container image: small, without rights, and it makes pictures; and compose.yaml, which runs it."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deployments.settings import Settings
from tests.deploy.containers import ROOT, build, container, inside, inspected, podman
from tests.running import PATIENCE_S

LINTER = Path(sys.executable).with_name("hadolint")


@pytest.fixture(scope="module")
def image() -> str:
    return build()


@pytest.fixture(scope="module")
def running(image: str) -> Iterator[str]:
    """A container of it that is ready."""
    with container(image, "aige-tests") as name:
        give_up = time.monotonic() + PATIENCE_S
        while "Ready at" not in (said := podman("logs", name).stdout):
            assert time.monotonic() < give_up, said
            assert inspected("container", name)["State"]["Running"], said
            time.sleep(0.5)
        yield name


def test_the_dockerfile_is_clean() -> None:
    """By hadolint; which finds what is not."""
    assert subprocess.run([LINTER, "Dockerfile"], cwd=ROOT, check=False).returncode == 0
    planted = (ROOT / "Dockerfile").read_text(encoding="utf-8") + "RUN sudo true\nRUN apt-get install nano\n"
    found = subprocess.run([LINTER, "-"], input=planted, capture_output=True, text=True, check=False)
    assert {"DL3004", "DL3008"} <= set(re.findall(r"DL\d+", found.stdout))


def test_only_what_is_copied_reaches_the_builder() -> None:
    """A data folder or a key beside the sources never does."""
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name.partition("/")[0] for names in copied for name in names.split()} == allowed


def test_the_health_check_asks_no_proxy() -> None:
    """Engines may need one, which Docker's own settings can set for every container; it would not know the service."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ +CMD (\[.*readyz.*\])$", dockerfile, re.MULTILINE)
    assert "--no-proxy" in json.loads(command)


@pytest.mark.long
def test_it_says_what_it_is(image: str) -> None:
    """Labels of the Open Container Initiative, and how to run, watch and stop it."""
    config = inspected("image", image)["Config"]
    git = [shutil.which("git") or "", "rev-parse", "HEAD"]
    revision = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert (labels["title"], labels["licenses"]) == ("AIGE", "Apache-2.0")
    assert labels["revision"] == revision.stdout.strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", labels["created"])
    assert (config["User"], config["StopSignal"]) == ("10001:10001", "SIGTERM")
    assert "Entrypoint" not in config or not config["Entrypoint"], "KubeRay gives a command of its own"


@pytest.mark.long
def test_it_is_small(image: str) -> None:
    """Less than a gigabyte, its base included."""
    assert inspected("image", image)["Size"] < 1_000_000_000


@pytest.mark.long
def test_it_has_what_a_cluster_needs(image: str) -> None:
    """KubeRay's commands run in bash, and its probes use wget; pip is of no use at run time."""
    asked = "for name in bash wget ray serve python aige; do command -v $name || echo no $name; done; ! command -v pip"
    said = podman("run", "--rm", "--network=none", "--cap-drop=all", image, "bash", "-c", asked)
    assert "no " not in said.stdout


@pytest.mark.long
def test_it_runs_without_rights_and_makes_three_pictures(running: str, tmp_path: Path) -> None:
    """A root that nobody writes to, no user of this machine's, no capability; `make demo` against it."""
    status = podman("exec", running, "cat", "/proc/self/status").stdout
    assert set(re.findall(r"^Cap\w+:\s+(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert podman("exec", running, "id", "-u").stdout.strip() == "10001"
    assert podman("exec", running, "touch", "/opt/aige/x", check=False).returncode != 0
    done = inside(running, sys.executable, "-m", "scripts.demo", AIGE_URL="http://127.0.0.1:8000")
    said = done.stdout + done.stderr  # the command line tells of progress on stderr
    assert done.returncode == 0, said
    assert said.count("done") == 3, said


@pytest.mark.long
def test_its_studio_is_inside(running: str) -> None:
    """The page and its script."""
    page = inside(running, "curl", "--silent", "http://127.0.0.1:8000/").stdout
    script = page.partition('src="')[2].partition('"')[0]
    assert script.endswith(".js")


@pytest.mark.long
def test_it_is_healthy(running: str) -> None:
    """Its health check asks what listens."""
    assert podman("healthcheck", "run", running, check=False).returncode == 0


@pytest.mark.long
def test_sigterm_stops_it_cleanly(running: str) -> None:
    """All processes end by themselves, within a minute."""
    podman("stop", "--time=60", running)
    assert inspected("container", running)["State"]["ExitCode"] == 0
    assert "Stopped." in podman("logs", running).stdout


def compose() -> dict[str, dict[str, object]]:
    services: dict[str, dict[str, object]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    return services


def test_compose_gives_the_service_no_rights() -> None:
    """As the tests above run it."""
    service = compose()["aige"]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for one in compose().values() for port in one.get("ports", []))  # type: ignore[attr-defined]


def test_composes_redis_keeps_what_it_acknowledges() -> None:
    """Else a paid call may be forgotten."""
    command = compose()["redis"]["command"]
    assert isinstance(command, list)
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {"--appendonly": "yes", "--appendfsync": "always", "--maxmemory-policy": "noeviction"}


def test_composes_settings_are_the_shipped_ones() -> None:
    """But for the host, the store and the journal; so is the scale."""
    shipped = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    ours = yaml.safe_load((ROOT / "deploy/compose/serve_config.yaml").read_text(encoding="utf-8"))
    assert Settings.load(ROOT / "deploy/compose/serve_config.yaml").storage == "s3"
    for config in (shipped, ours):
        del config["http_options"]["host"]
        for name in ("storage", "s3", "journal"):
            config["applications"][0]["args"].pop(name, None)
    assert ours == shipped
