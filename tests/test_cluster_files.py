"""The files of `deploy/` for a cluster of several machines: what they set is what Ray and AIGE read."""

import mmap
from pathlib import Path

import pytest
import ray
import yaml

from tests.cluster_files import CLUSTER_ENV, cluster_environment

RAY = Path(ray.__file__).parent
NOT_RAYS = {"MALLOC_ARENA_MAX", "PYTHONUTF8"}


def is_read_by_ray(name: str) -> bool:
    """Whether Ray's Python code names the variable, or its C++ code a flag behind `RAY_`."""
    if name.startswith("RAY_") and name != name.upper():
        with (RAY / "_raylet.so").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
            return code.find(name.removeprefix("RAY_").encode()) >= 0
    return any(f'"{name}"' in file.read_text(encoding="utf-8") for file in RAY.rglob("*constants.py"))


@pytest.mark.parametrize("name", sorted(cluster_environment().keys() - NOT_RAYS))
def test_ray_knows_every_variable(name: str) -> None:
    """A misspelt one would be set in vain, and nobody would notice before a machine is lost."""
    assert is_read_by_ray(name)


def test_every_line_is_read_alike_by_docker_a_config_map_and_a_shell() -> None:
    """No quotes, no blanks, no name twice."""
    lines = [line for line in CLUSTER_ENV.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    names = [line.partition("=")[0] for line in lines]
    assert len(set(names)) == len(names)
    assert [line for line in lines if any(mark in line for mark in " \"'$`\\;&")] == []


def test_a_node_drains_for_longer_than_any_replica() -> None:
    """Else it would be killed while a paid call finishes."""
    config = yaml.safe_load((CLUSTER_ENV.parents[1] / "serve_config.yaml").read_text(encoding="utf-8"))
    longest = max(one["graceful_shutdown_timeout_s"] for one in config["applications"][0]["deployments"])
    assert float(cluster_environment()["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]) > longest
