"""The journal's Redis, or the way to it, fails; then TaskStatus dies, and its successor reads what is there.

Until the journal is back nothing can be accepted, or end: that is no fault. What must not happen is a second charge.
"""

import time
from collections.abc import Callable

import pytest

from tests.cluster.audit import Audit, assert_kept
from tests.cluster.lab import Lab

pytestmark = pytest.mark.long

AWAY_S = 15
"""Longer than any write waits for its answer."""
AGAIN_S = 12
"""The journal is back, TaskStatus is killed, and its successor has started."""


def trial(laboratory: Lab, begin: Callable[[], None], end: Callable[[], None]) -> Audit:
    """The fault lasts for `AWAY_S`; then TaskStatus dies."""

    def blow() -> None:
        begin()
        time.sleep(AWAY_S)
        end()
        time.sleep(3)
        laboratory.a.kill_task_status()

    return laboratory.trial(blow, after_s=AWAY_S + 25)


def test_redis_is_away(laboratory: Lab, note: dict[str, Audit]) -> None:
    """Its cable is pulled: writes get no answer."""
    network = laboratory.network
    note[""] = audit = trial(laboratory, lambda: network.cut("store"), lambda: network.heal("store"))
    assert_kept(audit, silent_s=AWAY_S + AGAIN_S)


def test_redis_replies_are_lost(laboratory: Lab, note: dict[str, Audit]) -> None:
    """Writes are executed, and their senders never hear so."""
    network = laboratory.store.network
    note[""] = audit = trial(laboratory, lambda: network("lose"), lambda: network("pass"))
    assert_kept(audit, silent_s=AWAY_S + AGAIN_S)


def test_redis_writes_are_late(laboratory: Lab, note: dict[str, Audit]) -> None:
    """They arrive when their senders have given them up, and have written newer ones."""
    network = laboratory.store.network
    note[""] = audit = trial(laboratory, lambda: network("hold"), lambda: network("pass"))
    assert_kept(audit, silent_s=AWAY_S + AGAIN_S)


def test_redis_is_full(laboratory: Lab, note: dict[str, Audit]) -> None:
    """It refuses what needs memory, until there is some again."""
    allow = laboratory.store.allow_memory
    note[""] = audit = trial(laboratory, lambda: allow("1"), lambda: allow("0"))
    assert_kept(audit, silent_s=AWAY_S + AGAIN_S)
