"""What may happen to a paid submit of a task: claimed, then receipted or released, and settled with the task's end."""

from dataclasses import replace
from decimal import Decimal

import pytest

from deployments.errors import EngineError, ErrorCode
from deployments.tasks.entry import Entry, PaidSubmit, Spending
from deployments.tasks.journal import ENTRY, WORK
from deployments.tasks.record import Failure, StaleWrite
from deployments.tasks.traces import SentRequest
from tests.tasks.in_process import AT, task_and_work

STEP, ENGINE = "generate_background", "fal"


@pytest.fixture
def entry() -> Entry:
    """Of a task whose second attempt runs."""
    return Entry(task_and_work()[0].attempted().attempted())


def test_a_claim_may_be_repeated_and_no_other_made(entry: Entry) -> None:
    """Unless it names the claim that it replaces."""
    claimed = entry.claimed(2, STEP, ENGINE, PaidSubmit("one"))
    assert claimed.claimed(2, STEP, ENGINE, PaidSubmit("one")) == claimed
    with pytest.raises(StaleWrite, match="another submit has been claimed"):
        claimed.claimed(2, STEP, ENGINE, PaidSubmit("two"))
    assert claimed.claimed(2, STEP, ENGINE, PaidSubmit("two"), instead_of=PaidSubmit("one")).paid == {
        STEP: {ENGINE: PaidSubmit("two")}
    }


def test_an_older_attempt_claims_nothing(entry: Entry) -> None:
    """Nor does one that has not begun."""
    for attempt in (1, 3):
        with pytest.raises(StaleWrite, match=f"attempt {attempt} writes while attempt 2 runs"):
            entry.claimed(attempt, STEP, ENGINE, PaidSubmit("one"))


def test_a_receipt_stays(entry: Entry) -> None:
    """It replaces the claim, whoever brings it; the first one counts, and it cannot be released."""
    receipted = entry.claimed(2, STEP, ENGINE, PaidSubmit("one")).receipted(STEP, ENGINE, "one", "request 1")
    assert receipted.paid == {STEP: {ENGINE: PaidSubmit("one", "request 1")}}
    with pytest.raises(StaleWrite, match="this submit is settled"):
        receipted.receipted(STEP, ENGINE, "one", "request 2")
    with pytest.raises(StaleWrite, match="this submit is settled"):
        receipted.released(STEP, ENGINE, "one")


def test_a_receipt_needs_a_claim(entry: Entry) -> None:
    """What nobody has claimed was not sent."""
    with pytest.raises(StaleWrite, match="this submit is settled"):
        entry.receipted(STEP, ENGINE, "one", "request 1")


def test_a_released_claim_leaves_the_others(entry: Entry) -> None:
    """Its step may be claimed again; another's claim is not released."""
    claimed = entry.claimed(2, STEP, ENGINE, PaidSubmit("one")).claimed(2, "overlay", ENGINE, PaidSubmit("two"))
    with pytest.raises(StaleWrite, match="another's"):
        claimed.released(STEP, ENGINE, "two")
    assert claimed.released(STEP, ENGINE, "one").paid == {STEP: {}, "overlay": {ENGINE: PaidSubmit("two")}}


def test_with_the_end_of_its_task_all_is_settled(entry: Entry) -> None:
    """A receipt that comes later is no use to anybody."""
    claimed = entry.claimed(2, STEP, ENGINE, PaidSubmit("one"))
    ended = claimed.with_task(claimed.task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT))
    assert ended.paid == {}
    with pytest.raises(StaleWrite, match="the task has ended"):
        ended.receipted(STEP, ENGINE, "one", "request 1")


def test_receipts_are_kept_for_an_erasure(entry: Entry) -> None:
    """In the same write; beyond their steps, and beyond the task's end."""
    receipted = entry.claimed(2, STEP, ENGINE, PaidSubmit("one")).receipted(STEP, ENGINE, "one", "fal:9")
    assert receipted.traces.requests == (SentRequest("fal", "fal:9"),)
    assert receipted.past({STEP}).traces == receipted.traces
    failed = receipted.task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT)
    assert receipted.with_task(failed).traces == receipted.traces


def test_which_entries_await_receipts(entry: Entry) -> None:
    """One whose task runs, and has claimed a submit that may be on its way."""
    claimed = entry.claimed(2, STEP, ENGINE, PaidSubmit("one"))
    assert (entry.awaits_receipts, claimed.awaits_receipts) == (False, True)
    assert not claimed.receipted(STEP, ENGINE, "one", "fal:9").awaits_receipts
    assert not claimed.released(STEP, ENGINE, "one").awaits_receipts
    failed = claimed.task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT)
    assert not replace(claimed, task=failed).awaits_receipts


def test_a_spending_goes_with_its_submit(entry: Entry) -> None:
    """It outlives the task's end; it is gone where the submit was not taken, or the engine charges nothing for it."""
    spending = Spending("one", AT, Decimal("0.1"))
    claimed = entry.claimed(2, STEP, ENGINE, PaidSubmit("one")).spending(spending)
    assert claimed.spending_of("one") == spending
    assert claimed.spending_of("two") is None
    assert claimed.released(STEP, ENGINE, "one").spent == ()
    receipted = claimed.receipted(STEP, ENGINE, "one", "request 1")
    assert receipted.passed_over(2, STEP, ENGINE, "it broke down").spent == ()
    assert receipted.past([STEP]).spent == (spending,)
    assert receipted.with_task(receipted.task.finished(2, AT)).spent == (spending,)
    billed = Spending("one", AT, Decimal("0.2"))
    assert receipted.spending(billed).spent == (billed,)


def test_a_spending_alone_is_no_task() -> None:
    """Its entry has ended, and names nothing but the caller and the submit's token."""
    alone = Entry.alone("mobile", Spending("one", AT, Decimal("0.1")))
    assert alone.is_alone
    assert alone.task.is_ended
    assert (alone.task.id, alone.task.caller, alone.task.avatar_id) == ("spent:one", "mobile", "")


def test_whatever_a_provider_says_can_be_written() -> None:
    """JSON may hold half a surrogate pair, which no journal takes."""
    half = "half \ud83d"
    task, work = task_and_work()
    work = work.noting((half,))
    entry = Entry(task.attempted().reporting(1, half).charged((), (), (), work.notes)).passed_over(1, "s", "fal", half)
    assert ENTRY.dump_json(entry).count(b"half ?") == 3
    assert b"half ?" in WORK.dump_json(work)
    failure = Failure.of(EngineError(half))
    assert b"half ?" in ENTRY.dump_json(entry.with_task(entry.task.failed(failure, AT)))
