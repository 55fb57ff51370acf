"""Paid submits: at most one for each step, whoever asks, and however often."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from deployments.errors import EngineOutcomeUnknown, ErrorCode, NotFound
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.paid_call import ClaimedCall, ClaimedCalls
from deployments.tasks.record import Charge, Failure, Maker, StaleWrite
from deployments.tasks.traces import SentRequest
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.entries import all_entries
from tests.tasks.in_process import end_of, finish, orchestrator, task_and_work, turns
from tests.tasks.journals import LateJournal
from tests.tasks.running import ENGINE, STEP, Running


async def test_a_repeated_claim_is_known_for_what_it_is() -> None:
    """The answer to the first may have been lost on its way."""
    service = Running()
    await service.first_attempt()
    assert await service.submits.claim("t", 1, STEP, ENGINE, "token") is None
    assert await service.submits.claim("t", 1, STEP, ENGINE, "token") is None
    await service.submits.record("t", STEP, ENGINE, "token", "fal:request 1")
    assert await service.submits.claim("t", 1, STEP, ENGINE, "token") == "fal:request 1"


async def test_a_submit_of_unknown_fate_is_not_sent_again() -> None:
    """Unless the operator has chosen to."""
    for on_unknown_submit in ("fail", "retry"):
        service = Running(on_unknown_submit=on_unknown_submit, deadlines={"unknown_submit_s": 0})
        await service.first_attempt()
        await service.submits.claim("t", 1, STEP, ENGINE, "old")
        await service.next_attempt()
        if on_unknown_submit == "retry":
            assert await service.submits.claim("t", 2, STEP, ENGINE, "new") is None
        else:
            with pytest.raises(EngineOutcomeUnknown):
                await service.submits.claim("t", 2, STEP, ENGINE, "new")


async def test_a_late_receipt_is_waited_for() -> None:
    """A stage may have outlived the actor, and be about to have its answer."""
    service = Running(deadlines={"unknown_submit_s": 600})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, ENGINE, "old")
    await service.next_attempt()
    claiming = asyncio.create_task(service.submits.claim("t", 2, STEP, ENGINE, "new"))
    await asyncio.sleep(0)
    await service.submits.record("t", STEP, ENGINE, "old", "fal:request 1")
    assert await claiming == "fal:request 1"


async def test_a_stale_attempt_cannot_submit() -> None:
    """Nor can anybody for a task that has ended."""
    service = Running()
    await service.first_attempt()
    await service.next_attempt()
    with pytest.raises(StaleWrite, match="attempt 1 writes while attempt 2 runs"):
        await service.submits.claim("t", 1, STEP, ENGINE, "token")
    await service.orchestrator.cancel("t")
    with pytest.raises(NotFound, match="There is no such task in flight"):
        await service.submits.claim("t", 2, STEP, ENGINE, "token")
    await service.submits.record("t", STEP, ENGINE, "token", "too late")


async def test_of_two_claims_at_once_one_may_submit() -> None:
    """The other is told that it may not."""
    service = Running(deadlines={"unknown_submit_s": 0})
    await service.first_attempt()
    answers = await asyncio.gather(
        *(service.submits.claim("t", 1, STEP, ENGINE, token) for token in ("a", "b")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) in (
        ["EngineOutcomeUnknown", "NoneType"],
        ["NoneType", "StaleWrite"],
    )


async def test_an_ended_task_says_so_to_those_who_wait() -> None:
    """A claim that waits for a receipt does not outlive its task."""
    service = Running(deadlines={"unknown_submit_s": 600})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, ENGINE, "old")
    claiming = asyncio.create_task(service.submits.claim("t", 1, STEP, ENGINE, "new"))
    await asyncio.sleep(0)
    await service.orchestrator.cancel("t")
    with pytest.raises((NotFound, StaleWrite, EngineOutcomeUnknown)):
        await claiming
    assert isinstance((await end_of(service.orchestrator)).failure, Failure)


async def test_progress_is_shown_while_the_step_runs() -> None:
    """From the newest attempt only, until the next status."""
    service = Running()
    request = await service.first_attempt()
    ClaimedCall(service.ask, request, ENGINE).report("In the queue, 3 before it.")
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
    call = ClaimedCall(service.ask, await service.first_attempt(), ENGINE)
    await service.next_attempt()
    assert await call.is_wanted()
    await service.orchestrator.cancel("t")
    assert not await call.is_wanted()


async def test_the_newest_attempt_alone_may_give_up() -> None:
    """When its stage is out of time, the task will end; an older one that still runs somewhere ends nothing."""
    service = Running()
    older = ClaimedCall(service.ask, await service.first_attempt(), ENGINE, gives_up=lambda: True)
    assert not await older.is_wanted()
    newer = ClaimedCall(service.ask, await service.next_attempt(), ENGINE, gives_up=lambda: True)
    assert await older.is_wanted()
    assert not await newer.is_wanted()


async def test_of_all_engines_one_may_charge() -> None:
    """Another one may be asked only once it is on record that the one before does not charge."""
    service = Running(deadlines={"unknown_submit_s": 0})
    await service.first_attempt()
    await service.submits.claim("t", 1, STEP, "fal", "token")
    for step in ("claimed", "answered"):
        with pytest.raises(StaleWrite, match="another engine has been asked, and may charge for it"):
            await service.submits.claim("t", 1, STEP, "openai", "token")
        if step == "claimed":
            with pytest.raises(EngineOutcomeUnknown):  # nobody knows yet
                await service.submits.pass_over("t", 1, STEP, "fal", "it is busy")
            await service.submits.record("t", STEP, "fal", "token", "fal:request 1")
    await service.submits.pass_over("t", 1, STEP, "fal", "it broke down")
    assert await service.submits.claim("t", 1, STEP, "openai", "token") is None


async def test_what_was_passed_over_is_known_to_the_next_attempt() -> None:
    """With the receipt and the reason; it is not claimed again, nor does a late receipt change it."""
    service = Running(deadlines={"unknown_submit_s": 0})
    request = await service.first_attempt()
    calls = ClaimedCalls(service.ask, request)

    async def send() -> str:
        return "request 1"

    assert await calls.of("fal").submit(send) == "request 1"
    await calls.pass_over("fal", "it broke down")
    await calls.pass_over("local", "it is busy")
    known = ClaimedCalls(service.ask, await service.next_attempt()).known
    assert {name: (left.receipt, left.passed) for name, left in known.items()} == {
        "fal": ("fal:request 1", "it broke down"),
        "local": (None, "it is busy"),
    }
    await service.submits.record("t", STEP, "local", "", "local:late")
    with pytest.raises(StaleWrite, match="this engine has been passed over"):
        await service.submits.claim("t", 2, STEP, "local", "token")


async def test_a_stale_attempt_cannot_pass_over() -> None:
    """Only the newest may ask another engine."""
    service = Running()
    await service.first_attempt()
    await service.next_attempt()
    with pytest.raises(StaleWrite, match="attempt 1 writes while attempt 2 runs"):
        await service.submits.pass_over("t", 1, STEP, "fal", "it is busy")


async def test_a_key_is_the_same_in_every_attempt() -> None:
    """And another one for each engine: a UUID, version 5, that providers know a repeated submit by."""
    service = Running()
    first = ClaimedCalls(service.ask, await service.first_attempt())
    second = ClaimedCalls(service.ask, await service.next_attempt())
    assert first.of("fal").key == second.of("fal").key
    assert UUID(first.of("fal").key).version == 5
    assert first.of("fal").key != first.of("openai").key


async def test_a_lost_request_that_was_found_is_recorded() -> None:
    """By the attempt that lost its answer, or by a later one, which knows when it was claimed."""
    service = Running(deadlines={"unknown_submit_s": 0})
    call = ClaimedCall(service.ask, await service.first_attempt(), ENGINE)
    assert call.claimed_at is None

    async def lost() -> str:
        raise TimeoutError

    with pytest.raises(EngineOutcomeUnknown):
        await call.submit(lost)
    assert call.claimed_at is not None
    later = ClaimedCall(service.ask, await service.next_attempt(), ENGINE)
    assert later.claimed_at is not None
    assert abs(later.claimed_at - call.claimed_at) < timedelta(seconds=60)
    await later.found("request 1")
    assert ClaimedCall(service.ask, await service.next_attempt(), ENGINE).receipt == "request 1"


async def test_what_a_done_step_was_paid_with_is_dropped() -> None:
    """With the step's checkpoint: a receipt may be as large as a picture."""
    journal = MemoryJournal()
    seen: list[set[str]] = []

    async def run(request: StepRequest) -> Outcome:
        if request.step == STEP:
            await a.paid_submits.claim("t", 1, STEP, ENGINE, "token")
            await a.paid_submits.record("t", STEP, ENGINE, "token", "fal:request 1")
        seen.append(set((await all_entries(journal))[0].paid))
        return request.work

    a = orchestrator(run, journal)
    await a.submit(*task_and_work())
    await end_of(a)
    assert seen == [{STEP}, set()]


async def test_who_made_what_is_kept_with_the_task() -> None:
    """The engine that is shown is the one that made all of it, once the task has ended."""
    makers = [Maker(STEP, "fal", "some/model"), Maker(STEP, "local", None)]
    for made, shown in ((makers[:1], "fal"), (makers, "mixed"), ([], "local")):

        async def run(request: StepRequest, made: list[Maker] = made) -> Outcome:
            work = request.work
            for maker in made if request.step == STEP else ():
                work = work.made(maker)
            return work

        a = orchestrator(run)
        accepted = await a.submit(*task_and_work())
        assert accepted.shown_engine == "local"
        task = await end_of(a)
        assert (task.made_by, task.shown_engine) == (tuple(made), shown)


async def test_a_late_receipt_waits_until_its_task_is_known() -> None:
    """After a restart, tasks that have ended are read last; an erasure has to know of the request."""
    disk = MemoryJournal()
    before = orchestrator(finish, disk)
    await before.submit(*task_and_work())
    await end_of(before)
    journal = LateJournal(disk)
    after = orchestrator(finish, journal)
    await after.recover()
    recording = asyncio.create_task(after.paid_submits.record("t", STEP, ENGINE, "token", "fal:request 1"))
    await turns()
    journal.show.set()
    await recording
    (entry,) = await all_entries(disk)
    assert entry.traces.requests == (SentRequest(ENGINE, "fal:request 1"),)
