"""The promise kept by the fal engine: whatever dies while fal is at work, all tasks end, and nothing is paid twice."""

from collections.abc import Iterator

import pytest

from tests.chaos.fal import FalProvider
from tests.chaos.harness import Chaos, assert_all_done, chaos, submit_one_of_each

VICTIMS = {
    ("portrait", "background"): (
        "ray::ServeReplica:aige:AvatarGenerator",
        "ray::ServeReplica:aige:BackgroundGenerator",
    ),
    ("cut_out",): ("ray::ServeReplica:aige:BackgroundRemover", "ray::TaskStatus"),
    ("blend",): ("ray::ServeReplica:aige:Overlayer", "ray::ServeReplica:aige:Uploader"),
}
"""Who dies while what runs; two at a time."""


@pytest.fixture(scope="module")
def fal(tmp_path_factory: pytest.TempPathFactory) -> FalProvider:
    return FalProvider(tmp_path_factory.mktemp("fal"))


@pytest.fixture(scope="module")
def service(fal: FalProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with chaos(tmp_path_factory.mktemp("chaos-fal"), fal) as service:
        yield service


@pytest.mark.parametrize(("verbs", "victims"), VICTIMS.items(), ids=[" and ".join(verbs) for verbs in VICTIMS])
def test_processes_die_while_fal_is_at_work(
    service: Chaos, fal: FalProvider, verbs: tuple[str, ...], victims: tuple[str, ...]
) -> None:
    """What has a receipt is waited for by the next attempt; tasks that come afterwards know nothing of it."""
    tasks = submit_one_of_each(service)
    service.wait_until(lambda: fal.is_at_work(*verbs), f"{verbs} never ran")
    for victim in victims:
        service.kill(victim)
    tasks |= submit_one_of_each(service)
    assert_all_done(service, tasks)


def test_all_processes_die_at_once_while_fal_is_at_work(service: Chaos, fal: FalProvider) -> None:
    """The next start reads the receipts in the journal, and waits for those requests."""
    tasks = submit_one_of_each(service)
    service.wait_until(lambda: fal.is_at_work("portrait"), "no portrait ever ran")
    service.kill_everything()
    service.start()
    assert_all_done(service, tasks)
