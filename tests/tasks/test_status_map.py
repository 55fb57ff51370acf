"""The status map: what can be asked about, for how long, and who is woken by a change."""

import weakref

from deployments.tasks.record import Status, Task
from deployments.tasks.status_map import StatusMap
from tests.tasks.in_process import AT, task_and_work


def running(task_id: str) -> Task:
    return task_and_work(task_id)[0].attempted()


def done(task_id: str) -> Task:
    return running(task_id).finished(1, AT)


def test_an_ended_task_is_forgotten_after_a_while() -> None:
    """Counted from its end, of which a restart may tell late; a running one never is."""
    clock = [0.0]
    tasks = StatusMap(keep_s=60, keep_at_most=100, monotonic=lambda: clock[0])
    tasks.put(running("running"))
    tasks.restore(done("older"), age_s=30)
    assert tasks.restored() == []
    tasks.put(done("newer"))
    clock[0] = 31
    assert tasks.put(done("last")) == ["older"]
    assert [tasks.get(task_id) is not None for task_id in ("running", "older", "newer", "last")] == [
        True,
        False,
        True,
        True,
    ]


def test_what_is_outdated_is_forgotten_by_itself() -> None:
    """Also where no other task ends."""
    clock = [0.0]
    tasks = StatusMap(keep_s=10, keep_at_most=100, monotonic=lambda: clock[0])
    tasks.put(done("t"))
    clock[0] = 9.9
    assert tasks.outdated() == []
    clock[0] = 10
    assert tasks.outdated() == ["t"]
    assert tasks.get("t") is None


def test_so_many_ended_tasks_are_kept() -> None:
    """The newest."""
    tasks = StatusMap(keep_s=60, keep_at_most=2)
    assert [tasks.put(done(task_id)) for task_id in "abc"] == [[], [], ["a"]]


def test_tasks_are_counted_by_status() -> None:
    """Each once, at its newest status, and no more once it is forgotten."""
    tasks = StatusMap(keep_s=60, keep_at_most=1)
    for task in (running("a"), running("b"), done("a"), done("b")):
        tasks.put(task)
    assert (tasks.by_status[Status.PENDING], tasks.by_status[Status.DONE]) == (0, 1)


def test_the_newest_ends_come_first() -> None:
    """In the order in which the tasks have ended; running ones are not among them."""
    tasks = StatusMap(keep_s=60, keep_at_most=100)
    for task in (running("a"), running("b"), running("c"), done("b"), done("a"), done("d")):
        tasks.put(task)
    assert [task.id for task in tasks.newest_ends(2)] == ["d", "a"]
    assert [task.id for task in tasks.newest_ends(9)] == ["d", "a", "b"]


def test_the_next_change_wakes_who_waits_for_it() -> None:
    """All of them; and so does the end of the map."""
    tasks = StatusMap(keep_s=60, keep_at_most=100)
    tasks.put(running("a"))
    change, same, other = (tasks.next_change(task_id) for task_id in "aab")
    assert not change.is_set()
    tasks.put(done("a"))
    assert change.is_set()
    assert same.is_set()
    assert not other.is_set()
    change = tasks.next_change("a")
    assert not change.is_set()
    tasks.clear()
    assert change.is_set()
    assert tasks.by_status.total() == 0


def test_a_change_for_which_nobody_waits_any_more_is_not_kept() -> None:
    """Most who wait are gone before the task changes again; one that has ended never may."""
    tasks = StatusMap(keep_s=60, keep_at_most=100)
    tasks.put(done("a"))
    kept = weakref.ref(tasks.next_change("a"))
    assert kept() is None


def test_what_is_dropped_is_gone_and_those_who_wait_hear_it() -> None:
    """It is counted no more; one that is not there is no fault."""
    tasks = StatusMap(keep_s=60, keep_at_most=100)
    for task in (running("a"), done("b")):
        tasks.put(task)
    change = tasks.next_change("a")
    for task_id in ("a", "b", "nobody"):
        tasks.drop(task_id)
    assert change.is_set()
    assert (tasks.get("a"), tasks.get("b"), tasks.by_status.total()) == (None, None, 0)
    assert tasks.put(done("c")) == []
