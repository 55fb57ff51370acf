"""The files of `deploy/` for a cluster of several machines: what they set is what Ray and AIGE read."""

import mmap
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.serve.schema import ServeDeploySchema

from deployments.config_file import read_config
from deployments.runtime.nodes import Transport, check_cluster
from deployments.settings import S3, Settings
from tests.cluster_files import CLUSTER_ENV, CLUSTER_YAML, cluster_environment
from tests.running import PATIENCE_S, ROOT

RAY = Path(ray.__file__).parent
NOT_RAYS = {"MALLOC_ARENA_MAX", "PYTHONUTF8", "no_grpc_proxy"}


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


CALL = """
import sys
from ray._private.grpc_utils import init_grpc_channel  # what Serve calls, to reach a replica
init_grpc_channel(sys.argv[1]).unary_unary("/replica/call")(b"", timeout=60)
"""


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "grpc_proxy"])
def test_replicas_call_each_other_past_any_proxy(name: str) -> None:
    """Engines may need one; it would not know the nodes."""
    with socket.create_server(("127.0.0.1", 0)) as replica, socket.create_server(("127.0.0.1", 0)) as proxy:
        replica_at, proxy_at = (f"127.0.0.1:{one.getsockname()[1]}" for one in (replica, proxy))
        outside = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        environment = outside | cluster_environment() | {name: f"http://{proxy_at}"}
        with subprocess.Popen([sys.executable, "-c", CALL, replica_at], env=environment) as call:
            called, _, _ = select.select([replica, proxy], [], [], PATIENCE_S)
            call.kill()
    assert called == [replica]


def test_a_node_drains_for_longer_than_any_replica() -> None:
    """Else it would be killed while a paid call finishes."""
    deployments = ServeDeploySchema.model_validate(read_config(CLUSTER_YAML)).applications[0].deployments
    longest = max(float(str(one.graceful_shutdown_timeout_s)) for one in deployments)
    assert float(cluster_environment()["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]) > longest


def leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """All that a config file says, by its place in it; deployments go by their names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{place}.{name}")
    elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
        for one in value:
            yield from leaves(one, f"{place}.{one['name']}")
    else:
        yield place, value


def test_the_cluster_differs_from_one_machine_where_it_must() -> None:
    """And nowhere else: a change of `serve_config.yaml` is made here too."""
    one, several = (dict(leaves(read_config(path))) for path in (ROOT / "serve_config.yaml", CLUSTER_YAML))
    args = ".applications.aige.args."
    differing = {
        place.replace("deployments.", "").removeprefix(".applications.aige.")
        for place in one.keys() | several.keys()
        if not place.startswith(args) and one.get(place) != several.get(place)
    }
    names = ("Ingress", "AvatarGenerator", "BackgroundGenerator", "BackgroundRemover", "Overlayer", "Uploader")
    scale = ("autoscaling_config.min_replicas", "autoscaling_config.max_replicas", "max_replicas_per_node")
    assert differing == {".proxy_location", ".http_options.host"} | {f"{name}.{key}" for name in names for key in scale}


def test_the_clusters_settings_are_those_of_one_machine_but_for_what_is_shared() -> None:
    """What is not named in the file has its default."""
    settings = Settings.load(CLUSTER_YAML)
    shared = {"journal": settings.journal, "public_url": settings.public_url, "storage": "s3", "s3": S3(bucket="aige")}
    assert settings == Settings().model_copy(update=shared)
    check_cluster(settings, 3, Transport(grpc=True, message_bytes=2**31 - 1, is_direct=True))


def test_every_machine_has_a_proxy_and_no_two_replicas_of_a_deployment() -> None:
    """So the end of one machine leaves one of each."""
    config = ServeDeploySchema.model_validate(read_config(CLUSTER_YAML))
    assert config.proxy_location == "EveryNode"
    for deployment in config.applications[0].deployments:
        assert deployment.max_replicas_per_node == 1
        assert isinstance(deployment.autoscaling_config, dict)
        assert deployment.autoscaling_config["min_replicas"] >= 2
