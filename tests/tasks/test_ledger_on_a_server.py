"""Where a reply is lost or a write comes late, each request is paid for once: also after the actor was replaced."""

import asyncio
from contextlib import suppress

import pytest

from deployments.errors import Unavailable
from deployments.settings import Settings
from deployments.tasks.entry import Binding
from deployments.tasks.journal import Journal
from deployments.tasks.messages import ClaimSubmit, RecordReceipt
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import FakeStages, end_of, no_sleep, task_and_work
from tests.tasks.journals import PLACES, TIMEOUT_S
from tests.tasks.servers import Network

STEP, ENGINE = "generate_background", "fal"
BINDING = Binding("key", "request")

pytestmark = pytest.mark.parametrize("place", PLACES)


class Service:
    """An orchestrator whose first step is paid for; `charges` counts how often."""

    def __init__(self, journal: Journal, charges: list[str]) -> None:
        self.charges = charges
        self.journal = journal
        settings = Settings.model_validate({"deadlines": {"unknown_submit_s": 0}})
        self.orchestrator = Orchestrator(settings, journal, FakeStages(self._run).send, sleep=no_sleep)

    async def begin(self) -> None:
        await self.journal.take("cluster", 60)
        await self.journal.touch()
        await self.orchestrator.recover()

    async def _run(self, request: StepRequest) -> Outcome:
        if request.step == STEP:
            await self.pay(request.task_id, request.attempt)
        return request.work

    async def pay(self, task_id: str, attempt: int) -> None:
        token = f"token of attempt {attempt}"
        receipt = await ClaimSubmit(task_id, attempt, STEP, ENGINE, token).handle(self.orchestrator)
        if receipt is None:
            self.charges.append(task_id)
            await RecordReceipt(task_id, STEP, ENGINE, token, "fal:request").handle(self.orchestrator)


class Idle(Service):
    """One whose stages never answer."""

    async def _run(self, request: StepRequest) -> Outcome:
        await asyncio.Event().wait()
        return request.work


async def test_a_repeated_request_whose_first_answer_was_lost_is_one_task(
    network: Network, request: pytest.FixtureRequest, place: str
) -> None:
    """No ghost of it wakes when the actor is replaced."""
    first = Service(PLACES[place](network.url, "app", TIMEOUT_S), [])
    await first.begin()
    network.befall("lost")
    with suppress(Unavailable):
        await first.orchestrator.submit(*task_and_work("1"), BINDING)
    assert (await first.orchestrator.submit(*task_and_work("2"), BINDING)).id == "1"
    assert (await end_of(first.orchestrator, "1")).status is Status.DONE
    successor = Service(PLACES[place](request.getfixturevalue(f"{place}_url"), "app"), first.charges)
    await successor.begin()
    assert (await successor.orchestrator.submit(*task_and_work("3"), BINDING)).id == "1"
    assert await successor.orchestrator.get("2") is None
    assert first.charges == ["1"]
    for service in (first, successor):
        await service.journal.close()


async def test_a_late_write_takes_neither_claim_nor_receipt_away(
    network: Network, request: pytest.FixtureRequest, place: str
) -> None:
    """The successor finds the receipt, and pays nothing."""
    first = Idle(PLACES[place](network.url, "app", TIMEOUT_S), [])
    await first.begin()
    network.befall("held", b"processing_avatar_model")
    await first.orchestrator.submit(*task_and_work("1"))
    await first.pay("1", 1)
    await network.deliver()
    successor = Service(PLACES[place](request.getfixturevalue(f"{place}_url"), "app"), first.charges)
    await successor.begin()
    assert (await end_of(successor.orchestrator, "1")).status is Status.DONE
    assert first.charges == ["1"]
    for service in (first, successor):
        await service.journal.close()
