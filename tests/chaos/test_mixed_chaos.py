"""The promise on a mixed graph, whose first engine refuses the account: all tasks end, and nothing is paid twice."""

from collections.abc import Iterator

import pytest

from tests.chaos.harness import Chaos, assert_all_done, chaos, submit_one_of_each
from tests.chaos.two_providers import TwoProviders

LISTS = {verb: ["openai", "fal"] for verb in ("portrait", "background", "blend")}


VICTIMS = {
    "portrait": "ray::ServeReplica:aige:AvatarGenerator",
    "background": "ray::TaskStatus",
    "blend": "ray::ServeReplica:aige:Overlayer",
}
"""Who dies while what runs."""


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> TwoProviders:
    return TwoProviders(tmp_path_factory.mktemp("mixed"), LISTS, openai_key="a-key-that-is-refused")


@pytest.fixture(scope="module")
def service(providers: TwoProviders, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with chaos(tmp_path_factory.mktemp("chaos-mixed"), providers) as service:
        yield service


@pytest.mark.parametrize("verb", VICTIMS)
def test_processes_die_after_an_engine_was_passed_over(service: Chaos, providers: TwoProviders, verb: str) -> None:
    """The next attempt walks the same way, to the same request."""
    tasks = submit_one_of_each(service)
    service.wait_until(lambda: providers.is_at_work(verb), f"{verb} never ran")
    service.kill(VICTIMS[verb])
    tasks |= submit_one_of_each(service)
    assert_all_done(service, tasks)
    for name, task_id in tasks.items():
        notes = service.ended(task_id)["notes"]
        assert isinstance(notes, list)
        assert "The engine openai was passed over: it" in str(notes), (name, notes)
    assert providers.openai.calls == []


def test_all_processes_die_at_once(service: Chaos, providers: TwoProviders) -> None:
    """The next start reads in the journal who was passed over, and who was paid."""
    tasks = submit_one_of_each(service)
    service.wait_until(lambda: providers.is_at_work("portrait"), "no portrait ever ran")
    service.kill_everything()
    service.start()
    assert_all_done(service, tasks)
