"""What serves one machine only is refused on three, with one sentence; what runs already goes on."""

import pytest

from tests.cluster.lab import Lab

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"journal": "sqlite"}, "journal: sqlite is a file of one machine, but this cluster has 3 nodes"),
        ({"storage": "builtin", "s3": None}, "storage: builtin keeps its objects on one machine, but this cluster has"),
    ],
    ids=["journal", "storage"],
)
def test_settings_for_one_machine_are_refused(laboratory: Lab, changes: dict[str, object], reason: str) -> None:
    """Before any replica starts."""
    cluster = laboratory.a
    cluster.deploy(**changes)
    cluster.until(lambda: cluster.application().get("status") == "DEPLOY_FAILED", "it is never refused")
    assert reason in str(cluster.application()["message"])
    cluster.deploy()
    cluster.until_whole()
