"""The promise with the journal on a server: TaskStatus may die, or everything; nothing is paid twice."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.chaos.harness import Chaos, assert_all_done, submit_one_of_each
from tests.chaos.paid import PaidProvider
from tests.tasks.servers import postgres, redis

TASK_STATUS = "ray::TaskStatus"


@pytest.fixture(scope="module", params=["redis", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """One whose journal is on a server of its own."""
    with ExitStack() as stack:
        server = redis(tmp_path_factory.mktemp("redis")) if request.param == "redis" else postgres()
        url = stack.enter_context(server)
        service = Chaos(tmp_path_factory.mktemp(request.param), PaidProvider())
        stack.callback(service.close)
        service.configure({"AIGE_JOURNAL_URL": url}, journal=request.param)
        service.start()
        yield service


def test_task_status_may_die(service: Chaos) -> None:
    """Its successor goes on with all tasks, also with those that come meanwhile."""
    tasks = submit_one_of_each(service)
    time.sleep(1)  # into the first stage
    (killed,) = service.victims(TASK_STATUS)
    service.kill(TASK_STATUS)
    killed.wait()
    assert_all_done(service, tasks | submit_one_of_each(service))
    assert len(service.victims(TASK_STATUS)) == 1


def test_all_processes_may_die_at_once(service: Chaos) -> None:
    """The next start is another cluster: it stands by while the first one might come back, and then goes on."""
    tasks = submit_one_of_each(service)
    time.sleep(1)
    service.kill_everything()
    service.start()
    assert_all_done(service, tasks)
