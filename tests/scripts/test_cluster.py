"""Where a run keeps its things, beside other runs and other users."""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.errors import SettingsError
from deployments.settings import Profile
from scripts import cluster
from tests.running import ROOT

NOBODY = 65534

CLEARING = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from scripts.cluster import clear_left_overs
if os.getuid() == 0:
    os.setgid({NOBODY})
    os.setuid({NOBODY})
clear_left_overs(Path(sys.argv[1]))
"""


def test_the_folders_of_other_users_are_left_alone(tmp_path: Path) -> None:
    """They are closed to us: looking into one is an error, and no reason not to start."""
    theirs = tmp_path / "aige-theirs"
    theirs.mkdir()
    (theirs / "data").symlink_to(tmp_path / "none")
    theirs.chmod(0)
    ours = Path(tempfile.gettempdir()).resolve()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(ours) and folder != ours:  # what pytest has made, closed to others
            folder.chmod(0o755)
    command = [sys.executable, "-c", CLEARING, str(tmp_path)]
    cleared = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    theirs.chmod(0o700)
    assert (cleared.stderr, cleared.returncode) == ("", 0)
    assert theirs.exists()


def test_what_belongs_to_no_run_any_more_goes(tmp_path: Path) -> None:
    """Its data folder is gone; nobody would ever clear it away."""
    for name, data in (("aige-dead", tmp_path / "none"), ("aige-alive", tmp_path)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").symlink_to(data)
    (tmp_path / "aige-no-run").mkdir()
    cluster.clear_left_overs(tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == {"aige-alive", "aige-no-run"}


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A run's data folder; its temporary one is there too."""
    cluster.make_temp_dir(tmp_path)
    yield tmp_path
    shutil.rmtree(cluster.temp_dir(tmp_path))


def test_temporary_files_lie_in_a_short_folder_of_the_run(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's dashboard opens sockets in TMPDIR, and their paths have 107 bytes at most."""
    monkeypatch.setenv("TMPDIR", "/srv/" + "long/" * 30)
    environment = cluster.environment(data, Profile.LAPTOP)
    assert environment["TMPDIR"] == str(cluster.temp_dir(data))
    assert len(environment["TMPDIR"]) < 20


def test_python_is_not_told_what_would_keep_ray_from_starting(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was meant for the user's own programs."""
    for name in ("PYTHONSAFEPATH", "PYTHONWARNINGS", "PYTHONIOENCODING", "RAY_ADDRESS", "RAY_TMPDIR"):
        monkeypatch.setenv(name, "latin-1")
    environment = cluster.environment(data, Profile.LAPTOP)
    assert {name for name, value in environment.items() if value == "latin-1"} == set()
    assert environment["PYTHONUTF8"] == "1"


@pytest.mark.parametrize("value", ["", "abc", "0", "65536", "-1"])
def test_a_port_of_the_production_proxies_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """As it was typed."""
    monkeypatch.setenv("RAY_SERVE_HAPROXY_STATS_PORT", value)
    assert cluster.proxy_ports(Profile.LAPTOP) == {}
    with pytest.raises(SettingsError, match=rf"RAY_SERVE_HAPROXY_STATS_PORT={value}: must be a port"):
        cluster.proxy_ports(Profile.PRODUCTION)


def test_replicas_of_two_runs_have_ports_of_their_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In production, HAProxy asks whoever took the port of a replica that died."""
    lowest, highest = (f"RAY_SERVE_DIRECT_INGRESS_{end}_HTTP_PORT" for end in ("MIN", "MAX"))
    for name in (lowest, highest):
        monkeypatch.delenv(name, raising=False)

    def block() -> tuple[int, int]:
        environment = cluster.environment(data, Profile.PRODUCTION)
        return int(environment[lowest]), int(environment[highest])

    first = block()
    with socket.create_server(("127.0.0.1", first[0])):
        second = block()
    assert second[0] > first[1]
    monkeypatch.setenv(lowest, "31000")
    chosen = cluster.environment(data, Profile.PRODUCTION)
    assert chosen[lowest] == "31000"
    assert highest not in chosen, "Serve's own, which is above"
