"""Two clusters on one journal, as at every upgrade on Kubernetes: the new one starts beside the one that serves."""

import time

import pytest

from tests.cluster.audit import Audit, assert_kept
from tests.cluster.lab import Lab, Load

pytestmark = pytest.mark.long

REFUSED_S = 2
"""Nobody waits longer to be accepted."""
BESIDE_S = 15


def test_a_second_cluster_that_nobody_asks_costs_nothing(laboratory: Lab, note: dict[str, Audit]) -> None:
    """An upgrade that fails: it comes up, takes over nothing, and goes away again."""

    def beside() -> None:
        laboratory.b.start()
        time.sleep(BESIDE_S)
        laboratory.b.end()

    note[""] = audit = laboratory.trial(beside, after_s=BESIDE_S)
    assert_kept(audit, accepted_s=REFUSED_S)


def test_an_upgrade_and_a_rollback_under_load(laboratory: Lab, note: dict[str, Audit]) -> None:
    """The traffic is switched, the old cluster ends a while later; and the same the other way."""
    for name, old, new in (("upgrade", laboratory.a, laboratory.b), ("rollback", laboratory.b, laboratory.a)):
        load = Load(laboratory.outside, old.api)
        new.start()
        struck = time.time()
        load.ask(new.api)
        time.sleep(BESIDE_S)
        old.end()
        time.sleep(BESIDE_S)
        note[name] = load.audit(struck)
    for audit in note.values():
        assert_kept(audit, accepted_s=REFUSED_S)
