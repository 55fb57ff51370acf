"""Money in the journal: in the same write as the claim, until its fate is known, also when its task has ended."""

import asyncio
from decimal import Decimal

import pytest

from deployments.errors import EngineError, EngineOutcomeUnknown
from deployments.settings import Settings
from deployments.tasks.callers import Callers
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge
from tests.tasks.entries import all_entries
from tests.tasks.in_process import end_of, task_and_work, turns
from tests.tasks.journals import SlowJournal
from tests.tasks.running import ENGINE, STEP, Running

PRICE = Decimal("0.04")
SETTINGS: dict[str, object] = {"prices": {"model": 0.04}, "callers": {"default": {"spend_per_day": 1}}}


class Budgeted(Running):
    """Its caller has a budget. `spent_after_a_crash` is what a process that starts now knows of it."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**SETTINGS, **settings)

    @property
    def spent(self) -> Decimal:
        return self.orchestrator.callers.spendings.spent("default")

    async def spent_after_a_crash(self) -> Decimal:
        callers = Callers(Settings.model_validate(SETTINGS))
        callers.recall(await all_entries(self.journal))
        return callers.spendings.spent("default")

    async def call(self) -> ClaimedCall:
        return ClaimedCall(self.ask, await self.first_attempt(), ENGINE)


async def sent() -> str:
    return "request 1"


async def test_the_claim_and_its_reservation_are_one_write() -> None:
    """While the submit is on its way, the journal holds both: a crash forgets neither."""
    service = Budgeted()
    seen: list[object] = []

    async def send() -> str:
        (entry,) = await all_entries(service.journal)
        seen.append((entry.submit_of(STEP, ENGINE) is not None, [spending.amount for spending in entry.spent]))
        seen.append(await service.spent_after_a_crash())
        return "request 1"

    await (await service.call()).submit(send, "model")
    assert seen == [(True, [PRICE]), PRICE]


async def test_a_submit_that_was_not_taken_frees_its_reservation() -> None:
    """In the journal too."""
    service = Budgeted()

    async def refused() -> str:
        raise EngineError("It was refused.")

    with pytest.raises(EngineError):
        await (await service.call()).submit(refused, "model")
    assert service.spent == await service.spent_after_a_crash() == 0


async def test_a_submit_of_unknown_outcome_keeps_its_reservation() -> None:
    """Whatever becomes of its task."""
    service = Budgeted()

    async def lost() -> str:
        raise TimeoutError

    call = await service.call()
    with pytest.raises(EngineOutcomeUnknown):
        await call.submit(lost, "model")
    await service.orchestrator.cancel("t")
    await end_of(service.orchestrator)
    assert service.spent == await service.spent_after_a_crash() == PRICE


@pytest.mark.parametrize(("units", "kept"), [(0, Decimal(0)), (2, 2 * PRICE)])
async def test_a_cancelled_request_costs_what_its_provider_says(units: float, kept: Decimal) -> None:
    """Nothing where it is not billed, also where the task has ended before that is known; a restart knows it too."""
    service = Budgeted()
    call = await service.call()
    await call.submit(sent, "model")
    await service.orchestrator.cancel("t")
    await end_of(service.orchestrator)
    assert service.spent == await service.spent_after_a_crash() == PRICE
    await call.made_nothing(units, "model")
    await turns()
    assert service.spent == await service.spent_after_a_crash() == kept


async def test_what_made_nothing_is_settled_while_its_task_runs() -> None:
    """Another attempt may pay again."""
    service = Budgeted()
    call = await service.call()
    await call.submit(sent, "model")
    await call.made_nothing(0)
    assert service.spent == await service.spent_after_a_crash() == 0


class Slow(Budgeted):
    new_journal = SlowJournal


@pytest.mark.parametrize("what", ["released", "corrected"])
async def test_what_comes_while_the_end_is_written_frees_its_reservation(what: str) -> None:
    """It waits for the end, and then it is late."""
    service = Slow()
    journal = service.journal
    assert isinstance(journal, SlowJournal)
    for _ in range(2):
        journal.let_one_through()
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, ENGINE, "T1", model="model")
    cancelling = asyncio.create_task(service.orchestrator.cancel("t"))
    await turns()
    if what == "released":
        coming = asyncio.create_task(service.submits.release("t", STEP, ENGINE, "T1"))
    else:
        coming = asyncio.create_task(service.submits.correct("t", "T1", Charge(STEP, "model", 0)))
    await turns()
    for _ in range(9):
        journal.let_one_through()
    await asyncio.gather(cancelling, coming)
    assert service.spent == await service.spent_after_a_crash() == 0


async def test_bills_that_come_while_spendings_are_moved_are_not_overwritten() -> None:
    """An erasure gives spendings entries of their own, one after the other."""
    service = Slow(deadlines={"unknown_submit_s": 0})
    journal = service.journal
    assert isinstance(journal, SlowJournal)
    for _ in range(6):  # two tasks, two claims, two ends
        journal.let_one_through()
    for task_id, token in (("t", "T1"), ("u", "T2")):
        await service.orchestrator.submit(*task_and_work(task_id))
        await service.began.get()
        await service.submits.claim(task_id, 1, STEP, ENGINE, token, model="model")
    erasing = asyncio.create_task(service.orchestrator.erase("default", "a"))
    await turns()  # until the first of the two is being written
    correcting = [
        asyncio.create_task(service.submits.correct(task_id, token, Charge(STEP, "model", 0)))
        for task_id, token in (("t", "T1"), ("u", "T2"))
    ]
    for _ in range(9):
        await turns()
        journal.let_one_through()
    await asyncio.gather(erasing, *correcting)
    assert service.spent == await service.spent_after_a_crash() == 0


async def test_a_lost_submit_that_is_found_counts_once() -> None:
    """It was reserved when it was claimed, by the attempt before."""
    service = Budgeted(deadlines={"unknown_submit_s": 0})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, ENGINE, "T1", model="model")
    call = ClaimedCall(service.ask, await service.next_attempt(), ENGINE)
    with pytest.raises(EngineOutcomeUnknown):
        await call.submit(sent, "model")
    await call.found("request 1")
    (entry,) = await all_entries(service.journal)
    submit = entry.submit_of(STEP, ENGINE)
    assert submit is not None
    assert (submit.token, submit.receipt) == ("T1", "fal:request 1")
    await call.made_nothing(1, "model")
    assert service.spent == await service.spent_after_a_crash() == PRICE


async def test_of_two_submits_the_refused_one_costs_nothing() -> None:
    """Where an unknown submit is sent again, and the first one's receipt comes meanwhile."""
    service = Budgeted(deadlines={"unknown_submit_s": 0}, on_unknown_submit="retry")
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, ENGINE, "T1", model="model")

    async def refused() -> str:
        await service.submits.record("t", STEP, ENGINE, "T1", "fal:late")
        raise EngineError("It was refused.")

    with pytest.raises(EngineError):
        await ClaimedCall(service.ask, await service.next_attempt(), ENGINE).submit(refused, "model")
    assert service.spent == await service.spent_after_a_crash() == PRICE
