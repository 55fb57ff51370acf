"""The audit itself: each fault that a trial looks for is one that it sees."""

from dataclasses import replace

from tests.cluster.audit import audited, table
from tests.cluster.client import Report

FINE = Report(
    accepted={"avatar-1": "a", "background-2": "b", "overlay-3": "c"},
    ended={name: {"status": "done"} for name in ("avatar-1", "background-2", "overlay-3")},
    waits=[(100.0, 0.1), (101.0, 3.5), (109.0, 0.2)],
    ends=[104.0, 107.0, 113.0],
    books={
        "charges": {"portrait-avatar-1": 1, "cut_out-avatar-1": 1, "background-background-2": 1, "portrait-other": 2},
        "uploads": {"avatar-1": 1, "background-2": 1},
        "cancelled": {},
    },
)


def test_nothing_is_wrong_where_nothing_is() -> None:
    """Charges of other loads do not count; overlays cost nothing."""
    audit = audited(FINE, blow=103, stopped=110)
    assert (audit.tasks, audit.charges, audit.lost, audit.twice, audit.back) == (3, 3, (), (), ())
    assert audit.slowest_acceptance_s == 3.5


def test_silence_is_counted_from_the_blow_to_the_last_submission() -> None:
    """What ends once nothing new comes may take longer."""
    assert audited(FINE, blow=103, stopped=110).longest_silence_s == 6
    assert audited(FINE, blow=103, stopped=105).longest_silence_s == 3
    assert audited(replace(FINE, ends=[]), blow=103, stopped=110).longest_silence_s == 7


def test_each_fault_is_seen() -> None:
    """A task that failed or never ended, a charge too many or too few, a result that is nowhere, a status gone back."""
    error: dict[str, object] = {"status": "error", "error": {"code": "internal"}}
    failed = replace(FINE, ended={**FINE.ended, "overlay-3": error})
    never = replace(FINE, ended={name: task for name, task in FINE.ended.items() if name != "avatar-1"})
    unpaid = replace(FINE, books={**FINE.books, "charges": {"background-background-2": 1, "portrait-avatar-1": 1}})
    not_stored = replace(FINE, books={**FINE.books, "uploads": {"avatar-1": 1}})
    for report in (failed, never, unpaid, not_stored, replace(FINE, missing=["overlay-3: 404"])):
        assert len(audited(report, 103, 110).lost) == 1, report
    unknown: dict[str, object] = {"status": "error", "error": {"code": "engine_outcome_unknown"}}
    audit = audited(replace(FINE, ended={**FINE.ended, "background-2": unknown}), 103, 110)
    assert (audit.lost, audit.unknown) == ((), ("background-2",))
    twice = replace(FINE, books={**FINE.books, "charges": {**FINE.books["charges"], "cut_out-avatar-1": 2}})
    assert audited(twice, 103, 110).twice == ("cut_out-avatar-1: 2 times",)
    assert audited(replace(FINE, back=["avatar-1: done, then pending"]), 103, 110).back


def test_the_table_has_a_row_for_each_trial() -> None:
    """Aligned, for a terminal."""
    lines = table({"one": audited(FINE, 103, 110)}).splitlines()
    assert lines[1].split() == ["one", "3", "3", "0", "0", "0", "0", "3.5", "s", "6.0", "s"]
