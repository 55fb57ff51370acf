"""The promise on real processes: kill any of them, or all at once; all tasks end, and nothing is paid twice."""

import time
from collections.abc import Iterator
from itertools import count, islice

import pytest

from tests.chaos.harness import VICTIMS, Chaos, Tally, chaos

numbers = count()
TASK_STATUS = "ray::TaskStatus"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with chaos(tmp_path_factory.mktemp("chaos")) as service:
        yield service


def submit_some(service: Chaos, how_many: int) -> dict[str, str]:
    """Avatars, backgrounds and overlays in turn."""
    kinds = ("avatar", "background", "overlay")
    names = [f"{kinds[number % 3]}-{number}" for number in islice(numbers, how_many)]
    return {name: service.submit(name) for name in names}


@pytest.mark.parametrize("victim", VICTIMS)
def test_any_one_process_may_die(service: Chaos, victim: str) -> None:
    """All tasks that were accepted before, while and after end in `done`, each stage is charged once."""
    tally = Tally()
    tasks = submit_some(service, 4)
    time.sleep(1)  # into the first stage
    service.kill(victim)
    tasks |= submit_some(service, 2)
    service.audit(tasks, tally)
    assert tally.lost == []
    assert tally.done == tally.accepted


def test_a_redeploy_with_other_settings_loses_nothing(service: Chaos) -> None:
    """The actor that outlives its code is replaced, with tasks in flight, and its successor goes on with them."""
    tally = Tally()
    (old,) = service.victims(TASK_STATUS)
    service.deploy(attempts=7)
    tasks = submit_some(service, 6)
    while old.is_running():  # some submit is on its way when it is replaced
        tasks |= submit_some(service, 1)
    tasks |= submit_some(service, 3)
    service.audit(tasks, tally)
    assert tally.lost == []
    assert tally.done == tally.accepted


def test_all_processes_may_die_at_once(service: Chaos) -> None:
    """After a new start, everything unfinished goes on."""
    tally = Tally()
    tasks = submit_some(service, 6)
    time.sleep(1)
    service.kill_everything()
    started = time.monotonic()
    service.start()
    ready = time.monotonic()
    service.audit(tasks, tally)
    print(f"started in {ready - started:.1f} s, all ended {time.monotonic() - ready:.1f} s later")
    assert tally.lost == []
    assert tally.done == tally.accepted


def until_asked(service: Chaos, name: str, task_id: str) -> None:
    """Waits until the provider is at work on it."""

    def is_asked() -> bool:
        task = service.client.get(f"/task/{task_id}").json()
        assert task["status"] != "error", task
        return f"background-{name}" in service.provider.books()["charges"]

    service.wait_until(is_asked, f"{name} never began")


def until_called_off(service: Chaos, name: str) -> None:
    """Waits until the provider has been told that nobody wants it any more."""
    number = f"background-{name}-1"
    service.wait_until(lambda: number in service.provider.books()["cancelled"], f"{name} was never called off")


def code(task: dict[str, object]) -> object:
    """Why it ended in error."""
    assert isinstance(task["error"], dict)
    return task["error"]["code"]


def test_a_cancelled_task_is_called_off_at_the_provider(service: Chaos) -> None:
    """`DELETE` reaches the running stage, and the model behind it."""
    name = "background-hang-cancelled"
    task_id = service.submit(name)
    until_asked(service, name, task_id)
    answer = service.client.delete(f"/task/{task_id}")
    assert answer.status_code == 202
    assert code(answer.json()) == "cancelled"
    until_called_off(service, name)


def test_what_hangs_ends_by_its_deadline(service: Chaos) -> None:
    """A model that never answers is given up; a hung replica is replaced, and what it has paid for is found again."""
    service.deploy(deadlines={"stage_s": 15})
    service.until_deployed()
    hung, fine = "background-hang-late", "background-fine"
    tally, tasks = Tally(), {name: service.submit(name) for name in (hung, fine)}
    for name, task_id in tasks.items():
        until_asked(service, name, task_id)
    service.freeze("ray::ServeReplica:aige:BackgroundGenerator")
    service.audit({fine: tasks[fine]}, tally)
    assert tally.done == 1
    assert code(service.ended(tasks[hung])) == "deadline_exceeded"
    until_called_off(service, hung)
    assert service.provider.books()["charges"][f"background-{hung}"] == 1


@pytest.mark.parametrize("how", ["stopped", "blocked"])
def test_a_task_status_that_hangs_is_replaced(service: Chaos, how: str) -> None:
    """By two ingress replicas that both miss its answer: its one successor lives on, and all tasks end."""
    service.deploy(deadlines={"actor_s": 5}, ingresses=2)
    service.until_deployed()
    tally, tasks = Tally(), submit_some(service, 3)
    (hung,) = service.victims(TASK_STATUS)
    if how == "stopped":
        service.freeze(TASK_STATUS)
    else:
        name = f"background-block-{next(numbers)}"
        tasks[name] = service.submit(name)
    service.wait_until(lambda: not hung.is_running(), "it was never replaced")
    service.wait_until(lambda: bool(service.victims(TASK_STATUS)), "it has no successor")
    (successor,) = service.victims(TASK_STATUS)
    tasks |= submit_some(service, 3)
    service.audit(tasks, tally)
    assert tally.lost == []
    assert tally.done == tally.accepted
    assert service.victims(TASK_STATUS) == [successor]
