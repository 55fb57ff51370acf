"""The state machine of a task's life, through all its interleavings."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import TypeAdapter

from deployments.errors import ErrorCode
from deployments.tasks.record import NEW_CODES, Failure, Operation, StaleWrite, Status, Task

START = datetime(2026, 1, 1, tzinfo=UTC)
FAILURE = Failure(ErrorCode.INTERNAL, "It broke.")


def new_task(operation: Operation = Operation.AVATAR) -> Task:
    return Task.accepted(
        task_id="t", avatar_id="a", operation=operation, read_url="https://r.example", engine="local", at=START
    )


def test_a_new_task_is_pending() -> None:
    """The first status is `pending`, from the moment of acceptance."""
    task = new_task()
    assert task.timeline == ((Status.PENDING, START),)
    assert not task.is_ended


def test_only_the_newest_attempt_may_write() -> None:
    """A write from an attempt that was given up is refused."""
    task = new_task().attempted().attempted()
    with pytest.raises(StaleWrite, match="attempt 1 writes while attempt 2 runs"):
        task.advanced(1, Status.UPLOADING_IMAGE, START)
    with pytest.raises(StaleWrite, match="attempt 1 writes while attempt 2 runs"):
        task.finished(1, START)


@pytest.mark.parametrize("ended", [new_task().attempted().finished(1, START), new_task().failed(FAILURE, START)])
def test_an_end_is_final(ended: Task) -> None:
    """After `done` or `error`, nothing changes any more."""
    for change in (
        ended.attempted,
        lambda: ended.advanced(ended.attempts, Status.UPLOADING_IMAGE, START),
        lambda: ended.finished(ended.attempts, START),
        lambda: ended.failed(FAILURE, START),
    ):
        with pytest.raises(StaleWrite):
            change()


def test_a_stage_cannot_end_a_task() -> None:
    """`done` is shown only by finished(), which is called once the upload has been acknowledged."""
    for final in (Status.DONE, Status.ERROR):
        with pytest.raises(StaleWrite, match="a step never shows a final status"):
            new_task().attempted().advanced(1, final, START)


def test_the_timeline_survives_a_clock_that_jumps_back() -> None:
    """Times in the timeline never decrease."""
    task = new_task().attempted().advanced(1, Status.UPLOADING_IMAGE, START - timedelta(hours=1))
    assert task.timeline[-1].at == START


@given(before=st.sampled_from(Status), later=st.sampled_from(Status))
def test_no_status_may_go_back(before: Status, later: Status) -> None:
    """Of any two statuses, at most one may become the other."""
    assert not (before.may_become(later) and later.may_become(before))


@pytest.mark.parametrize("code", ErrorCode)
def test_why_a_task_failed_is_told_by_its_own_code(code: ErrorCode) -> None:
    """Also after it was stored; what the version before does not know, it reads as another code."""
    task = new_task().failed(Failure(code, "Because."), START)
    stored = TypeAdapter(Task).validate_json(TypeAdapter(Task).dump_json(task))
    assert task.error == stored.error == Failure(code, "Because.")
    assert stored.failure is not None
    assert stored.failure.code not in NEW_CODES


class Life(RuleBasedStateMachine):
    """Attempts that write in any order, stale ones among them, ends that race each other, and a clock that jumps."""

    @initialize(operation=st.sampled_from(Operation))
    def accept(self, operation: Operation) -> None:
        self.task = new_task(operation)
        self.seen = [self.task]

    def _apply(self, change: object) -> None:
        with suppress(StaleWrite):
            assert callable(change)
            self.task = change()
            self.seen.append(self.task)

    times = st.integers(-3600, 3600).map(lambda seconds: START + timedelta(seconds=seconds))
    attempts = st.integers(0, 4)

    @rule()
    def begin_attempt(self) -> None:
        self._apply(self.task.attempted)

    @rule(attempt=attempts, status=st.sampled_from(Status), at=times)
    def advance(self, attempt: int, status: Status, at: datetime) -> None:
        self._apply(lambda: self.task.advanced(attempt, status, at))

    @rule(attempt=attempts, at=times)
    def finish(self, attempt: int, at: datetime) -> None:
        self._apply(lambda: self.task.finished(attempt, at))

    @rule(at=times)
    def fail(self, at: datetime) -> None:
        self._apply(lambda: self.task.failed(FAILURE, at))

    @invariant()
    def history_only_grows(self) -> None:
        for before, later in pairwise(self.seen):
            assert later.timeline[: len(before.timeline)] == before.timeline
            assert later.attempts >= before.attempts

    @invariant()
    def each_status_is_shown_once_and_in_order(self) -> None:
        order = list(Status)
        places = [order.index(status) for status, _ in self.task.timeline]
        assert places == sorted(set(places))

    @invariant()
    def nothing_follows_an_end(self) -> None:
        assert not any(status.is_terminal for status, _ in self.task.timeline[:-1])
        assert (self.task.failure is not None) == (self.task.status is Status.ERROR)

    @invariant()
    def times_do_not_decrease(self) -> None:
        times = [at for _, at in self.task.timeline]
        assert times == sorted(times)


TestLife = Life.TestCase
