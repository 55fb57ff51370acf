"""What stops the start on several nodes: one sentence that says what to set. On one machine, nothing does."""

import pytest

from deployments.errors import SettingsError
from deployments.runtime.nodes import Transport, check_cluster, is_direct, leaves
from deployments.settings import Settings
from tests.cluster_files import cluster_environment

FIT: dict[str, object] = {
    "journal": "redis://store:6379/0",
    "storage": "s3",
    "s3": {"bucket": "pictures"},
    "public_url": "https://aige.example",
}
GRPC = Transport(grpc=True, message_bytes=2**31 - 1, is_direct=True)


def test_one_machine_needs_none_of_it() -> None:
    """The settings as they are shipped, and Ray's own transport."""
    check_cluster(Settings(), 1, Transport(grpc=False, message_bytes=4 * 2**20, is_direct=False))


def test_a_cluster_with_all_it_needs_starts() -> None:
    """With S3, or with a folder that is declared to be shared."""
    check_cluster(Settings.model_validate(FIT), 3, GRPC)
    shared = {**FIT, "storage": "builtin", "s3": None, "data_dir_shared": True}
    check_cluster(Settings.model_validate(shared), 3, GRPC)


@pytest.mark.parametrize(
    ("changes", "transport", "reason"),
    [
        ({"journal": "sqlite"}, GRPC, "journal: sqlite is a file of one machine, but this cluster has 2 nodes: "),
        ({"storage": "builtin", "s3": None}, GRPC, "storage: builtin keeps its objects on one machine, but "),
        ({"public_url": None}, GRPC, "public_url: this cluster has 2 nodes, so set the one address at which "),
        (
            {},
            GRPC._replace(grpc=False),
            "this cluster has 2 nodes, but Ray was started without RAY_SERVE_USE_GRPC_BY_DEFAULT=1: ",
        ),
        (
            {},
            GRPC._replace(message_bytes=4 * 2**20),
            "this cluster has 2 nodes, but Ray was started without RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH=",
        ),
        (
            {},
            GRPC._replace(is_direct=False),
            "this cluster has 2 nodes, but Ray was started without no_grpc_proxy=0.0.0.0/0,::/0: ",
        ),
    ],
    ids=["journal", "storage", "public_url", "transport", "long messages", "proxy"],
)
def test_what_serves_one_machine_only_stops_the_start(
    changes: dict[str, object], transport: Transport, reason: str
) -> None:
    """In one line."""
    with pytest.raises(SettingsError) as caught:
        check_cluster(Settings.model_validate({**FIT, **changes}), 2, transport)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "direct"),
    [
        ({}, True),
        ({"https_proxy": ""}, True),
        ({"https_proxy": "http://proxy:3128"}, False),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "localhost"}, False),
        ({"http_proxy": "http://proxy:3128"} | cluster_environment(), True),
    ],
    ids=["none", "empty", "https", "http", "cluster.env"],
)
def test_a_proxy_matters_to_grpc_unless_it_is_told_otherwise(environment: dict[str, str], direct: bool) -> None:
    """`tests/test_cluster_files.py` asks gRPC itself."""
    assert is_direct(environment) is direct


def node(name: str, *, alive: bool = True, cpus: float = 2) -> dict[str, object]:
    """As `ray.nodes()` shows it; of a node without CPUs, Ray names none."""
    return {"NodeID": name, "Alive": alive, "Resources": {"memory": 1.0} | ({"CPU": cpus} if cpus else {})}


@pytest.mark.parametrize(
    ("draining", "others", "expected"),
    [
        ({"here"}, [node("there")], True),
        ({"there"}, [node("there")], False),
        (set[str](), [node("there")], False),
        ({"here"}, [node("head", cpus=0)], False),
        ({"here"}, [node("lost", alive=False)], False),
        ({"here", "there"}, [node("there")], False),
        ({"here"}, [], False),
    ],
    ids=["another takes over", "another drains", "nobody drains", "a head", "lost", "both drain", "one machine"],
)
def test_a_draining_node_is_left_where_another_can_take_over(
    draining: set[str], others: list[dict[str, object]], expected: bool
) -> None:
    """Where nobody can, staying serves until the end."""
    assert leaves("here", draining, [node("here"), *others]) is expected
