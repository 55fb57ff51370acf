"""Where the files for a cluster lie, and what is in them."""

from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"
CLUSTER_ENV = DEPLOY / "cluster.env"
CLUSTER_YAML = DEPLOY / "cluster.yaml"


def cluster_environment() -> dict[str, str]:
    """The environment of every Ray process of a cluster."""
    lines = CLUSTER_ENV.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
