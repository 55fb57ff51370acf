"""Webhooks on real processes: whatever dies after a task's end, it is told, with the same id."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.harness import Chaos, chaos
from tests.chaos.paid import PaidProvider
from tests.chaos.webhooks import EVERYTHING, audit, kill, submit_one

TASK_STATUS, UPLOADER = "ray::TaskStatus", "ray::ServeReplica:aige:Uploader"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with chaos(tmp_path_factory.mktemp("webhooks"), PaidProvider(latency_s=0.5)) as service:
        yield service


def webhook_of(service: Chaos, task_id: str) -> dict[str, Any]:
    webhook: dict[str, Any] = service.ended(task_id)["webhook"]  # type: ignore[assignment]  # it has one
    return webhook


@pytest.mark.parametrize("victim", [TASK_STATUS, UPLOADER, EVERYTHING])
def test_whatever_dies_between_the_end_and_the_delivery(service: Chaos, victim: str) -> None:
    """The receiver holds the first try when its sender dies. It is told again, with the same id."""
    provider = service.provider
    assert isinstance(provider, PaidProvider)
    name = f"background-held-{victim.rpartition(':')[2].replace(' ', '-')}"
    task_id = service.submit(name, webhookUrl=provider.hook(name))
    assert service.ended(task_id)["status"] == "done"
    told = f"{name} {task_id}"
    service.wait_until(lambda: provider.books()["hooks"].get(told) == 1, "it was never tried")
    assert webhook_of(service, task_id)["state"] == "waiting"
    kill(service, victim)
    service.wait_until(lambda: provider.books()["hooks"][told] >= 2, "it was never tried again")
    provider.let_go()
    service.wait_until(lambda: webhook_of(service, task_id)["state"] == "delivered", "it was never delivered")
    assert {one for one in provider.books()["hooks"] if one.startswith(f"{name} ")} == {told}
    provider.hold()


def test_no_webhook_is_missing_after_kills(service: Chaos) -> None:
    """Of tasks that come while processes die; `python -m tests.chaos.webhooks` does it with a thousand."""
    ids: dict[str, str] = {}
    for victim in (TASK_STATUS, UPLOADER):
        for _ in range(6):
            submit_one(service, ids)
        kill(service, victim)
    told = audit(service, ids)
    assert (told.missing, told.strange) == ([], [])
    assert told.times >= told.tasks == 12
