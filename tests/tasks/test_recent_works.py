"""Works between two steps: the newest of each task, as far as there is room."""

from deployments.media.picture import Picture
from deployments.tasks.recent_works import RecentWorks
from deployments.tasks.work import Work
from tests.tasks.in_process import task_and_work


def work(task_id: str, size: int) -> Work:
    return task_and_work(task_id)[1].carrying(Picture(data=bytes(size)), opaque=True)


def test_what_finds_no_room_is_not_kept() -> None:
    """Until something has been taken."""
    recent = RecentWorks(most_bytes=10)
    for task_id in "abc":
        recent.put(work(task_id, 5))
    assert [recent.take(task_id) for task_id in "ca"] == [None, work("a", 5)]
    recent.put(work("c", 5))
    assert recent.take("c") == work("c", 5)


def test_an_older_work_is_never_kept_where_the_newer_finds_no_room() -> None:
    """It would make a finished step run again."""
    recent = RecentWorks(most_bytes=10)
    recent.put(work("a", 5))
    recent.put(work("a", 11))
    assert recent.take("a") is None


def test_what_is_taken_is_not_kept() -> None:
    """It goes to a stage."""
    recent = RecentWorks()
    recent.put(work("a", 5))
    assert recent.take("a") is not None
    assert recent.take("a") is None
