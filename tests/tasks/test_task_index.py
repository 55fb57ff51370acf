"""Lists of tasks: whose, which, in what order; and that a page costs the same however many there are."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.errors import ErrorCode
from deployments.tasks.record import Failure, Moment, Operation, Status, Task
from deployments.tasks.task_index import Place, TaskIndex, Wanted, place_of
from tests.tasks.in_process import AT, end_of, finish, orchestrator, task_and_work

ALL = Wanted("default")
TraceFunction = Callable[[FrameType, str, Any], Any]


def task(task_id: str, second: float = 0, **changes: object) -> Task:
    accepted = replace(task_and_work(task_id)[0], timeline=(Moment(Status.PENDING, AT + timedelta(seconds=second)),))
    return replace(accepted, **changes)  # type: ignore[arg-type]  # fields by their names


def failed(task: Task) -> Task:
    return task.failed(Failure(ErrorCode.CANCELLED, "Cancelled."), AT)


def ids(index: TaskIndex, wanted: Wanted = ALL, after: Place | None = None, limit: int = 100) -> list[str]:
    return [task.id for task in index.page(wanted, after, limit).tasks]


def test_the_newest_comes_first() -> None:
    """In whatever order they came; of one moment, the greater id."""
    index = TaskIndex()
    for one in (task("b", 1), task("c", 3), task("a", 2), task("d", 1)):
        index.put(one)
    assert ids(index) == ["c", "a", "d", "b"]


def test_a_page_goes_on_after_a_place() -> None:
    """Also where its task is gone; and it tells whether more follow."""
    index = TaskIndex()
    for number in range(5):
        index.put(task(str(number), number))
    first = index.page(ALL, None, 2)
    assert ([task.id for task in first.tasks], first.has_more) == (["4", "3"], True)
    index.drop("3")
    index.put(task("newer", 9))
    assert ids(index, after=place_of(first.tasks[-1]), limit=2) == ["2", "1"]
    last = index.page(ALL, place_of(task("1", 1)), 1)
    assert ([task.id for task in last.tasks], last.has_more) == (["0"], False)


def test_filters() -> None:
    """Any of each; all of them together; and only one caller's."""
    index = TaskIndex()
    index.put(task("a", 1, avatar_id="x"))
    index.put(failed(task("b", 2, avatar_id="x", operation=Operation.AVATAR)))
    index.put(task("c", 3, avatar_id="y", operation=Operation.AVATAR))
    index.put(task("d", 4, avatar_id="x", caller="other"))
    assert ids(index) == ["c", "b", "a"]
    assert ids(index, Wanted("other")) == ["d"]
    assert ids(index, Wanted("nobody")) == []
    assert ids(index, replace(ALL, avatar_ids=frozenset({"x"}))) == ["b", "a"]
    assert ids(index, replace(ALL, avatar_ids=frozenset({"x", "y"}))) == ["c", "b", "a"]
    assert ids(index, replace(ALL, operations=frozenset({Operation.AVATAR}))) == ["c", "b"]
    assert ids(index, replace(ALL, statuses=frozenset({Status.ERROR, Status.DONE}))) == ["b"]
    both = replace(ALL, statuses=frozenset({Status.PENDING}), operations=frozenset({Operation.AVATAR}))
    assert ids(index, both) == ["c"]
    assert ids(index, replace(both, avatar_ids=frozenset({"x"}))) == []


def test_all_of_an_avatar() -> None:
    """Whatever they make and show, of one caller; and all that there are."""
    index = TaskIndex()
    for one in (task("a", avatar_id="x"), failed(task("b", avatar_id="x", operation=Operation.OVERLAY)), task("c")):
        index.put(one)
    index.put(task("d", avatar_id="x", caller="other"))
    assert sorted(one.id for one in index.of_avatar("default", "x")) == ["a", "b"]
    assert index.of_avatar("default", "nobody") == []
    assert sorted(one.id for one in index.all()) == ["a", "b", "c", "d"]


def test_a_task_that_changes_changes_its_groups() -> None:
    """It keeps its place; what it was is not found any more, and what is dropped is in no group."""
    index = TaskIndex()
    index.put(task("a", 1))
    index.put(task("b", 2))
    index.put(task("a", 1, progress="half"))
    assert index.page(ALL, None, 9).tasks[1].progress == "half"
    index.put(failed(task("a", 1)))
    assert ids(index) == ["b", "a"]
    assert ids(index, replace(ALL, statuses=frozenset({Status.PENDING}))) == ["b"]
    assert ids(index, replace(ALL, statuses=frozenset({Status.ERROR}))) == ["a"]
    for gone in ("a", "a", "b"):
        index.drop(gone)
    assert ids(index) == []


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b"]), st.booleans()), max_size=40),
    st.integers(1, 7),
    st.sets(st.sampled_from(["a", "b"])),
    st.sets(st.sampled_from([Status.PENDING, Status.ERROR])),
)
def test_pages_neither_repeat_nor_skip(
    made: list[tuple[int, str, bool]], limit: int, avatars: set[str], statuses: set[Status]
) -> None:
    """Page by page to the end, each that fits comes once, the newest first."""
    index, all_tasks = TaskIndex(), []
    for number, (second, avatar, ended) in enumerate(made):
        one = task(str(number), second, avatar_id=avatar)
        index.put(one)
        all_tasks.append(failed(one) if ended else one)
        index.put(all_tasks[-1])
    wanted = replace(ALL, avatar_ids=frozenset(avatars), statuses=frozenset(statuses))
    fitting = [
        t for t in all_tasks if (not avatars or t.avatar_id in avatars) and (not statuses or t.status in statuses)
    ]
    assert list(_paged(index, wanted, limit)) == [t.id for t in sorted(fitting, key=place_of, reverse=True)]


def _paged(index: TaskIndex, wanted: Wanted, limit: int) -> Iterator[str]:
    after, has_more = None, True
    while has_more:
        tasks, has_more = index.page(wanted, after, limit)
        yield from (task.id for task in tasks)
        after = place_of(tasks[-1]) if tasks else None


def filled(tasks: int) -> TaskIndex:
    """One task in a thousand has failed."""
    index, running = TaskIndex(), task("")
    ended = failed(running)
    for number in range(tasks):
        like = ended if number % 1000 == 0 else running
        accepted = Moment(Status.PENDING, AT + timedelta(seconds=number))
        index.put(replace(like, id=f"{number:06}", timeline=(accepted, *like.timeline[1:])))
    return index


FEW, MANY = 40_000, 100_000


@pytest.fixture(scope="module")
def indexes() -> dict[int, TaskIndex]:
    return {tasks: filled(tasks) for tasks in (FEW, MANY)}


def steps_of(make: Callable[[], object]) -> int:
    """How many lines of Python run meanwhile."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> TraceFunction:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        make()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "wanted",
    [
        ALL,
        replace(ALL, avatar_ids=frozenset({"a"})),
        replace(ALL, statuses=frozenset({Status.ERROR})),
        replace(ALL, avatar_ids=frozenset({"a"}), statuses=frozenset({Status.ERROR})),
    ],
    ids=["all", "an avatar", "rare", "rare ones of an avatar"],
)
def test_a_page_costs_the_same_with_100_000_tasks(indexes: dict[int, TaskIndex], wanted: Wanted) -> None:
    """Counted in lines that run for a page from the middle: a search in more blocks takes a few more."""
    steps = []
    for tasks, index in indexes.items():
        middle = place_of(task("", tasks // 2))
        assert len(index.page(wanted, middle, 20).tasks) == 20
        steps.append(steps_of(partial(index.page, wanted, middle, 20)))
    few, many = steps
    assert few < 1_000
    assert many <= few + 20


async def test_the_orchestrator_keeps_it() -> None:
    """From the submission on, at each change, and until the task is forgotten."""
    a = orchestrator(finish, retention={"tasks": 1})
    for task_id in ("1", "2"):
        await a.submit(*task_and_work(task_id))
        assert task_id in ids(a.index)
        await end_of(a, task_id)
        assert ids(a.index, replace(ALL, statuses=frozenset({Status.DONE}))) == [task_id]
    assert ids(a.index) == ["2"]
