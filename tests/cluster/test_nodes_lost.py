"""A machine of three is lost, in each way in which machines are, and the head is away: nobody loses anything."""

import time

import pytest

from tests.cluster.audit import Audit, assert_kept
from tests.cluster.lab import Lab

pytestmark = pytest.mark.long

KILLED_S = 5
"""A crash is noticed in 3 s; then TaskStatus starts elsewhere."""
SILENT_S = 12
"""Silence is noticed in 9 s."""

Note = dict[str, Audit]


def test_the_machine_with_task_status_is_killed(laboratory: Lab, note: Note) -> None:
    """Its successor runs on another worker within seconds, and not on the head."""
    victim = laboratory.a.task_status()
    note[""] = audit = laboratory.trial(victim.kill)
    assert laboratory.a.task_status() in laboratory.a.workers
    laboratory.replace(victim)
    assert_kept(audit, silent_s=KILLED_S)


def test_the_machine_with_task_status_is_cut_off_from_the_others(laboratory: Lab, note: Note) -> None:
    """It still reaches Redis, the provider and clients; two TaskStatus live side by side for minutes."""
    victim = laboratory.a.task_status()
    note[""] = audit = laboratory.trial(lambda: laboratory.cut_off_from_others(victim), after_s=40)
    laboratory.replace(victim)
    assert_kept(audit, silent_s=SILENT_S)


def test_the_head_is_away_for_twenty_seconds(laboratory: Lab, note: Note) -> None:
    """Nobody notices: what it knew is in Redis, and requests do not need it."""

    def away() -> None:
        laboratory.a.head.kill()
        time.sleep(20)
        laboratory.a.start_head()

    note[""] = audit = laboratory.trial(away, after_s=40)
    laboratory.a.until_whole()
    assert_kept(audit, silent_s=KILLED_S)


@pytest.mark.long
def test_the_machine_with_task_status_falls_silent(laboratory: Lab, note: Note) -> None:
    """Its cable is pulled."""
    victim = laboratory.a.task_status()
    note[""] = audit = laboratory.trial(lambda: laboratory.network.cut(victim.name), after_s=40)
    laboratory.replace(victim)
    assert_kept(audit, silent_s=SILENT_S)


@pytest.mark.long
def test_the_machine_with_task_status_is_drained(laboratory: Lab, note: Note) -> None:
    """SIGTERM: it finishes what it does, and is then gone."""
    victim = laboratory.a.task_status()
    note[""] = audit = laboratory.trial(victim.terminate, after_s=60)
    assert not victim.is_running()
    laboratory.replace(victim)
    assert_kept(audit, silent_s=KILLED_S)
