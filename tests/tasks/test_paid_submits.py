"""Paid submits: at most one for each step, whoever asks, and however often."""

import asyncio

import pytest

from deployments.errors import EngineOutcomeUnknown, ErrorCode, NotFound
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure, StaleWrite
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import end_of, orchestrator, task_and_work, turns
from tests.tasks.running import STEP, Running


async def test_a_repeated_claim_is_known_for_what_it_is() -> None:
    """The answer to the first may have been lost on its way."""
    service = Running()
    await service.first_attempt()
    assert await service.submits.claim("t", 1, STEP, "token") is None
    assert await service.submits.claim("t", 1, STEP, "token") is None
    await service.submits.record("t", STEP, "token", "request 1")
    assert await service.submits.claim("t", 1, STEP, "token") == "request 1"


async def test_a_submit_of_unknown_fate_is_not_sent_again() -> None:
    """Unless the operator has chosen to."""
    for on_unknown_submit in ("fail", "retry"):
        service = Running(on_unknown_submit=on_unknown_submit, deadlines={"unknown_submit_s": 0})
        await service.first_attempt()
        await service.submits.claim("t", 1, STEP, "old")
        await service.next_attempt()
        if on_unknown_submit == "retry":
            assert await service.submits.claim("t", 2, STEP, "new") is None
        else:
            with pytest.raises(EngineOutcomeUnknown):
                await service.submits.claim("t", 2, STEP, "new")


async def test_a_late_receipt_is_waited_for() -> None:
    """A stage may have outlived the actor, and be about to have its answer."""
    service = Running(deadlines={"unknown_submit_s": 600})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, "old")
    await service.next_attempt()
    claiming = asyncio.create_task(service.submits.claim("t", 2, STEP, "new"))
    await asyncio.sleep(0)
    await service.submits.record("t", STEP, "old", "request 1")
    assert await claiming == "request 1"


async def test_a_stale_attempt_cannot_submit() -> None:
    """Nor can anybody for a task that has ended."""
    service = Running()
    await service.first_attempt()
    await service.next_attempt()
    with pytest.raises(StaleWrite):
        await service.submits.claim("t", 1, STEP, "token")
    await service.orchestrator.cancel("t")
    with pytest.raises(NotFound):
        await service.submits.claim("t", 2, STEP, "token")
    await service.submits.record("t", STEP, "token", "too late")


async def test_of_two_claims_at_once_one_may_submit() -> None:
    """The other is told that it may not."""
    service = Running(deadlines={"unknown_submit_s": 0})
    await service.first_attempt()
    answers = await asyncio.gather(
        *(service.submits.claim("t", 1, STEP, token) for token in ("a", "b")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) in (
        ["EngineOutcomeUnknown", "NoneType"],
        ["NoneType", "StaleWrite"],
    )


async def test_an_ended_task_says_so_to_those_who_wait() -> None:
    """A claim that waits for a receipt does not outlive its task."""
    service = Running(deadlines={"unknown_submit_s": 600})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, "old")
    claiming = asyncio.create_task(service.submits.claim("t", 1, STEP, "new"))
    await asyncio.sleep(0)
    await service.orchestrator.cancel("t")
    with pytest.raises((NotFound, StaleWrite, EngineOutcomeUnknown)):
        await claiming
    assert isinstance((await end_of(service.orchestrator)).failure, Failure)


async def test_progress_is_shown_while_the_step_runs() -> None:
    """From the newest attempt only, until the next status."""
    service = Running()
    request = await service.first_attempt()
    ClaimedCall(service.ask, request).report("In the queue, 3 before it.")
    await turns()
    task = service.orchestrator.tasks.get("t")
    assert task is not None
    assert task.progress == "In the queue, 3 before it."
    service.submits.report("t", 7, "From nowhere.")
    service.submits.report("nobody", 1, "From nowhere.")
    assert service.orchestrator.tasks.get("t") == task
    assert (await service.orchestrator.cancel("t")).progress is None


async def test_what_steps_cost_is_kept_with_the_task() -> None:
    """With the checkpoint of the step, and also where a later step fails."""
    charge, failing = Charge(STEP, "some/model", 1.5), Failure(ErrorCode.UPLOAD_FAILED, "Try again.")

    async def run(request: StepRequest) -> Outcome:
        return request.work.noting((), charge) if request.step == STEP else failing

    a = orchestrator(run)
    await a.submit(*task_and_work())
    task = await end_of(a)
    assert (task.failure, task.charges) == (failing, (charge,))


async def test_a_request_is_wanted_until_its_task_has_ended() -> None:
    """A lost attempt does not make it unwanted: the next one will wait for it."""
    service = Running()
    call = ClaimedCall(service.ask, await service.first_attempt())
    await service.next_attempt()
    assert await call.is_wanted()
    await service.orchestrator.cancel("t")
    assert not await call.is_wanted()


async def test_the_newest_attempt_alone_may_give_up() -> None:
    """When its stage is out of time, the task will end; an older one that still runs somewhere ends nothing."""
    service = Running()
    older = ClaimedCall(service.ask, await service.first_attempt(), gives_up=lambda: True)
    assert not await older.is_wanted()
    newer = ClaimedCall(service.ask, await service.next_attempt(), gives_up=lambda: True)
    assert await older.is_wanted()
    assert not await newer.is_wanted()
