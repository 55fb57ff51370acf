"""A cluster of several nodes: what it needs that one machine does not."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, cast

import ray
from ray._private.state import state  # Ray's public functions do not tell which nodes drain
from ray.serve._private import constants as serve  # as Serve has read the environment of this process

from deployments.errors import SettingsError
from deployments.runtime.build import check_build, installed_build
from deployments.settings import Settings

PICTURE_MESSAGE_BYTES = 2**30
"""A message between replicas must be allowed at least so long: it carries pictures."""


class Transport(NamedTuple):
    """How Serve carries messages between replicas: over gRPC or not, of so many bytes at most, past proxies or not."""

    grpc: bool
    message_bytes: int
    is_direct: bool


def is_direct(environment: Mapping[str, str]) -> bool:
    """Whether gRPC goes from node to node, and not to an HTTP proxy. It reads these names, and in lower case only."""
    is_proxied = any(environment.get(name) for name in ("grpc_proxy", "https_proxy", "http_proxy"))
    return not is_proxied or "no_grpc_proxy" in environment


HERE = Transport(
    serve.RAY_SERVE_USE_GRPC_BY_DEFAULT, serve.RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH, is_direct(os.environ)
)


def count_nodes() -> int:
    """How many nodes of this process's cluster are alive, the head included. Asks the head, and blocks meanwhile."""
    return sum(bool(node["Alive"]) for node in _nodes())


def should_leave() -> bool:
    """Whether this process's node is being drained, and another one can take over. Asks the head; blocks meanwhile."""
    return leaves(ray.get_runtime_context().get_node_id(), state.get_draining_nodes(), _nodes())


def leaves(here: str, draining: Collection[str], nodes: Sequence[Mapping[str, object]]) -> bool:
    """The same, of the node `here`, by what Ray says of all nodes."""
    return here in draining and any(
        node["Alive"] and node["NodeID"] not in draining and _cpus(node) > 0 for node in nodes
    )


def _nodes() -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], ray.nodes())  # type: ignore[no-untyped-call]


def _cpus(node: Mapping[str, object]) -> float:
    resources = node["Resources"]
    return float(resources.get("CPU", 0)) if isinstance(resources, dict) else 0


def check_node(settings: Settings, build: str) -> None:
    """Each process of the application checks this before it starts, since nodes may join at any time. Asks the head.

    Raises:
        SettingsError: this node cannot take part, as `check_build` and `check_cluster` say.
    """
    check_build(build, installed_build())
    check_cluster(settings, count_nodes())


def check_cluster(settings: Settings, nodes: int, transport: Transport = HERE) -> None:
    """Whether AIGE can run on so many nodes with these settings, and with this process's transport.

    Raises:
        SettingsError: the first thing that would not work.
    """
    if nodes > 1:
        _check_settings(settings, nodes)
        _check_transport(transport, nodes)


def _check_settings(settings: Settings, nodes: int) -> None:
    several = f"this cluster has {nodes} nodes"
    if settings.journal == "sqlite":
        raise SettingsError(
            f"journal: sqlite is a file of one machine, but {several}: name a server that all can reach"
        )
    if settings.storage == "builtin" and not settings.data_dir_shared:
        raise SettingsError(
            f"storage: builtin keeps its objects on one machine, but {several}: set `storage: s3`, or, where "
            "AIGE_DATA_DIR is on a disk that they share, `data_dir_shared: true`"
        )
    if settings.public_url is None:
        raise SettingsError(f"public_url: {several}, so set the one address at which clients reach them")


def _check_transport(transport: Transport, nodes: int) -> None:
    ready = {
        "RAY_SERVE_USE_GRPC_BY_DEFAULT=1": transport.grpc,
        f"RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH={2**31 - 1}": transport.message_bytes >= PICTURE_MESSAGE_BYTES,
        "no_grpc_proxy=0.0.0.0/0,::/0": transport.is_direct,
    }
    if missing := [variable for variable, is_set in ready.items() if not is_set]:
        raise SettingsError(
            f"this cluster has {nodes} nodes, but Ray was started without {' and '.join(missing)}: start it on every "
            "node with the environment in deploy/cluster.env"
        )
