"""Paid submits: at most one for each step, whoever asks, and however often."""

import asyncio
import gc
from typing import TypeVar, cast

import pytest

from deployments.errors import EngineError, EngineOutcomeUnknown, ErrorCode, NotFound
from deployments.settings import Settings
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import ClaimSubmit, Message
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure, StaleWrite
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import Stages, end_of, orchestrator, task_and_work, turns

R = TypeVar("R")
STEP = StepId.GENERATE_BACKGROUND


class Running:
    """An orchestrator whose task's first step runs for as long as the test wants."""

    def __init__(self, **settings: object) -> None:
        self.began: asyncio.Queue[StepRequest] = asyncio.Queue()
        self.lose = asyncio.Event()
        self.orchestrator = Orchestrator(Settings.model_validate(settings), MemoryJournal(), Stages(self._run).send)
        self.submits = self.orchestrator.paid_submits

    async def _run(self, request: StepRequest) -> Outcome:
        self.began.put_nowait(request)
        await self.lose.wait()
        self.lose.clear()
        raise ConnectionError

    async def ask(self, message: Message[R]) -> R:
        return await message.handle(self.orchestrator)

    async def first_attempt(self) -> StepRequest:
        await self.orchestrator.submit(*task_and_work())
        return await self.began.get()

    async def next_attempt(self) -> StepRequest:
        self.lose.set()
        return await self.began.get()


async def test_a_receipt_is_found_by_the_next_attempt() -> None:
    """Which then waits for that request, and sends nothing."""
    service = Running()
    request = await service.first_attempt()

    async def send() -> str:
        return "request 1"

    async def send_again() -> str:
        raise AssertionError

    assert await ClaimedCall(service.ask, request).submit(send) == "request 1"
    request = await service.next_attempt()
    assert await ClaimedCall(service.ask, request).submit(send_again) == "request 1"


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


async def test_a_submit_that_was_certainly_refused_may_be_sent_again() -> None:
    """By the next attempt, say."""
    service = Running(deadlines={"unknown_submit_s": 0})
    request = await service.first_attempt()

    async def refused() -> str:
        raise EngineError("Refused.")

    with pytest.raises(EngineError):
        await ClaimedCall(service.ask, request).submit(refused)
    assert await service.submits.claim("t", 1, STEP, "new") is None


async def test_an_answer_that_was_lost_is_an_unknown_outcome() -> None:
    """Now, and for whoever claims later."""
    service = Running(deadlines={"unknown_submit_s": 0})
    request = await service.first_attempt()

    async def lost() -> str:
        raise TimeoutError

    for _ in range(2):
        with pytest.raises(EngineOutcomeUnknown):
            await ClaimedCall(service.ask, request).submit(lost)


async def test_a_cancellation_does_not_tear_submit_and_record() -> None:
    """What was sent when the cancellation came is on record when it takes effect."""
    service = Running()
    request = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        return "request 1"

    submitting = asyncio.create_task(ClaimedCall(service.ask, request).submit(send))
    await sent.wait()
    for _ in range(2):  # it may be called off, and its replica then shut down
        submitting.cancel()
        await turns()
        assert not submitting.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, STEP, "new") == "request 1"


async def test_a_cancellation_before_the_submit_leaves_no_claim() -> None:
    """Nothing was sent, and whoever claims next may send at once."""
    service = Running(deadlines={"unknown_submit_s": 600})
    request = await service.first_attempt()

    async def send() -> str:
        raise AssertionError

    submitting = asyncio.create_task(ClaimedCall(service.ask, request).submit(send))
    await asyncio.sleep(0)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, STEP, "new") is None


async def test_a_claim_that_is_repeated_too_late_leaves_nothing() -> None:
    """It stands, but its answer was lost with the actor; when it is repeated, another attempt has begun."""
    service = Running(deadlines={"unknown_submit_s": 600})
    request = await service.first_attempt()

    async def ask(message: Message[R]) -> R:
        """Delivers a claim twice, the second time to the next attempt's orchestrator."""
        reply = await service.ask(message)
        if type(message) is ClaimSubmit:
            await service.next_attempt()
            return cast(R, await service.ask(message))
        return reply

    async def send() -> str:
        raise AssertionError

    with pytest.raises(StaleWrite):
        await ClaimedCall(ask, request).submit(send)
    assert await service.submits.claim("t", 2, STEP, "new") is None


async def test_a_cancelled_submit_that_fails_leaves_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for its error any more, and nobody is told of it as if somebody should have."""
    service = Running()
    request = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        raise EngineError("Refused.")

    submitting = asyncio.create_task(ClaimedCall(service.ask, request).submit(send))
    await sent.wait()
    submitting.cancel()
    await asyncio.sleep(0)
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    del submitting
    gc.collect()
    assert "never retrieved" not in caplog.text


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


async def test_a_verb_knows_the_receipt_of_an_earlier_attempt() -> None:
    """Before it has made its inputs ready."""
    service = Running()
    request = await service.first_attempt()
    assert ClaimedCall(service.ask, request).receipt is None
    await service.submits.claim("t", 1, STEP, "token")
    await service.submits.record("t", STEP, "token", "request 1")
    assert ClaimedCall(service.ask, await service.next_attempt()).receipt == "request 1"
