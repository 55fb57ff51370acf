"""Paid submits: at most one a stage, whoever asks, and however often."""

import asyncio
import gc

import pytest

from deployments.errors import EngineError, EngineOutcomeUnknown, NotFound
from deployments.settings import Settings
from deployments.tasks.attempt import Outcome
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.paid_call import ClaimedCall
from deployments.tasks.record import Charge, Failure, StaleWrite, Status
from deployments.tasks.supervisor import Supervisor
from deployments.tasks.work import Work
from tests.tasks.conftest import turns
from tests.tasks.test_supervisor import end_of, task_and_work


class Running:
    """A supervisor whose task's attempts run for as long as the test wants."""

    def __init__(self, **settings: object) -> None:
        self.began: asyncio.Queue[Work] = asyncio.Queue()
        self.lose = asyncio.Event()
        self.supervisor = Supervisor(Settings.model_validate(settings), MemoryJournal(), self._run)
        self.submits = self.supervisor.paid_submits

    async def _run(self, work: Work) -> Outcome:
        self.began.put_nowait(work)
        await self.lose.wait()
        self.lose.clear()
        raise ConnectionError

    async def first_attempt(self) -> Work:
        await self.supervisor.accept(*task_and_work())
        return await self.began.get()

    async def next_attempt(self) -> Work:
        self.lose.set()
        return await self.began.get()


async def test_a_receipt_is_found_by_the_next_attempt() -> None:
    """Which then waits for that request, and sends nothing."""
    service = Running()
    work = await service.first_attempt()

    async def send() -> str:
        return "request 1"

    async def send_again() -> str:
        raise AssertionError

    assert await ClaimedCall(service.submits, work, "stage").submit(send) == "request 1"
    work = await service.next_attempt()
    assert await ClaimedCall(service.submits, work, "stage").submit(send_again) == "request 1"


async def test_a_repeated_claim_is_known_for_what_it_is() -> None:
    """The answer to the first may have been lost on its way."""
    service = Running()
    await service.first_attempt()
    assert await service.submits.claim("t", 1, "stage", "token") is None
    assert await service.submits.claim("t", 1, "stage", "token") is None
    await service.submits.record("t", "stage", "token", "request 1")
    assert await service.submits.claim("t", 1, "stage", "token") == "request 1"


async def test_a_submit_of_unknown_fate_is_not_sent_again() -> None:
    """Unless the operator has chosen to."""
    for on_unknown_submit in ("fail", "retry"):
        service = Running(on_unknown_submit=on_unknown_submit, deadlines={"unknown_submit_s": 0})
        await service.first_attempt()
        await service.submits.claim("t", 1, "stage", "old")
        await service.next_attempt()
        if on_unknown_submit == "retry":
            assert await service.submits.claim("t", 2, "stage", "new") is None
        else:
            with pytest.raises(EngineOutcomeUnknown):
                await service.submits.claim("t", 2, "stage", "new")


async def test_a_late_receipt_is_waited_for() -> None:
    """A stage may have outlived its pipeline, and be about to have its answer."""
    service = Running(deadlines={"unknown_submit_s": 600})
    await service.first_attempt()
    await service.submits.claim("t", 1, "stage", "old")
    await service.next_attempt()
    claiming = asyncio.create_task(service.submits.claim("t", 2, "stage", "new"))
    await asyncio.sleep(0)
    await service.submits.record("t", "stage", "old", "request 1")
    assert await claiming == "request 1"


async def test_a_stale_attempt_cannot_submit() -> None:
    """Nor can anybody for a task that has ended."""
    service = Running()
    await service.first_attempt()
    await service.next_attempt()
    with pytest.raises(StaleWrite):
        await service.submits.claim("t", 1, "stage", "token")
    await service.supervisor.cancel("t")
    with pytest.raises(NotFound):
        await service.submits.claim("t", 2, "stage", "token")
    await service.submits.record("t", "stage", "token", "too late")


async def test_of_two_claims_at_once_one_may_submit() -> None:
    """The other is told that it may not."""
    service = Running(deadlines={"unknown_submit_s": 0})
    await service.first_attempt()
    answers = await asyncio.gather(
        *(service.submits.claim("t", 1, "stage", token) for token in ("a", "b")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) in (
        ["EngineOutcomeUnknown", "NoneType"],
        ["NoneType", "StaleWrite"],
    )


async def test_a_submit_that_was_certainly_refused_may_be_sent_again() -> None:
    """By the next attempt, say."""
    service = Running(deadlines={"unknown_submit_s": 0})
    work = await service.first_attempt()

    async def refused() -> str:
        raise EngineError("Refused.")

    with pytest.raises(EngineError):
        await ClaimedCall(service.submits, work, "stage").submit(refused)
    assert await service.submits.claim("t", 1, "stage", "new") is None


async def test_an_answer_that_was_lost_is_an_unknown_outcome() -> None:
    """Now, and for whoever claims later."""
    service = Running(deadlines={"unknown_submit_s": 0})
    work = await service.first_attempt()

    async def lost() -> str:
        raise TimeoutError

    for _ in range(2):
        with pytest.raises(EngineOutcomeUnknown):
            await ClaimedCall(service.submits, work, "stage").submit(lost)


async def test_a_cancellation_does_not_tear_submit_and_record() -> None:
    """What was sent when the cancellation came is on record when it takes effect."""
    service = Running()
    work = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        return "request 1"

    submitting = asyncio.create_task(ClaimedCall(service.submits, work, "stage").submit(send))
    await sent.wait()
    for _ in range(2):  # its pipeline may call it off, and then die
        submitting.cancel()
        await turns()
        assert not submitting.done()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, "stage", "new") == "request 1"


async def test_a_cancellation_before_the_submit_leaves_no_claim() -> None:
    """Nothing was sent, and whoever claims next may send at once."""
    service = Running(deadlines={"unknown_submit_s": 600})
    work = await service.first_attempt()

    async def send() -> str:
        raise AssertionError

    submitting = asyncio.create_task(ClaimedCall(service.submits, work, "stage").submit(send))
    await asyncio.sleep(0)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert await service.submits.claim("t", 1, "stage", "new") is None


async def test_a_claim_that_is_repeated_too_late_leaves_nothing() -> None:
    """It stands, but its answer was lost with the actor; when it is repeated, another attempt has begun."""
    service = Running(deadlines={"unknown_submit_s": 600})
    work = await service.first_attempt()
    claim = service.submits.claim

    async def repeated(task_id: str, attempt: int, stage: str, token: str) -> str | None:
        await claim(task_id, attempt, stage, token)
        await service.next_attempt()
        return await claim(task_id, attempt, stage, token)

    async def send() -> str:
        raise AssertionError

    service.submits.claim = repeated  # type: ignore[method-assign]
    with pytest.raises(StaleWrite):
        await ClaimedCall(service.submits, work, "stage").submit(send)
    assert await claim("t", 2, "stage", "new") is None


async def test_a_cancelled_submit_that_fails_leaves_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for its error any more, and nobody is told of it as if somebody should have."""
    service = Running()
    work = await service.first_attempt()
    sent, answer = asyncio.Event(), asyncio.Event()

    async def send() -> str:
        sent.set()
        await answer.wait()
        raise EngineError("Refused.")

    submitting = asyncio.create_task(ClaimedCall(service.submits, work, "stage").submit(send))
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
    await service.submits.claim("t", 1, "stage", "old")
    claiming = asyncio.create_task(service.submits.claim("t", 1, "stage", "new"))
    await asyncio.sleep(0)
    await service.supervisor.cancel("t")
    with pytest.raises((NotFound, StaleWrite, EngineOutcomeUnknown)):
        await claiming
    assert isinstance((await end_of(service.supervisor)).failure, Failure)


async def test_progress_is_shown_while_the_stage_runs() -> None:
    """From the newest attempt only, until the next status."""
    service = Running()
    work = await service.first_attempt()
    await service.supervisor.advance("t", 1, Status.PROCESSING_AVATAR_MODEL)
    ClaimedCall(service.submits, work, "stage").report("In the queue, 3 before it.")
    await asyncio.sleep(0)
    task = service.supervisor.tasks.get("t")
    assert task is not None
    assert task.progress == "In the queue, 3 before it."
    await service.submits.report("t", 7, "From nowhere.")
    await service.submits.report("nobody", 1, "From nowhere.")
    assert service.supervisor.tasks.get("t") == task
    await service.supervisor.advance("t", 1, Status.UPLOADING_IMAGE)
    task = service.supervisor.tasks.get("t")
    assert task is not None
    assert task.progress is None


async def test_what_stages_cost_is_kept_with_the_task() -> None:
    """With the checkpoint of the stage, and also where a later stage fails."""
    service = Running()
    work = await service.first_attempt()
    charge = Charge("AvatarGenerator", "some/model", 1.5)
    await service.supervisor.advance("t", 1, Status.UPLOADING_IMAGE, work.noting((), charge))
    task = await service.supervisor.cancel("t")
    assert task.charges == (charge,)


async def test_a_request_is_wanted_until_its_task_has_ended() -> None:
    """A lost attempt does not make it unwanted: the next one will wait for it."""
    service = Running()
    call = ClaimedCall(service.submits, await service.first_attempt(), "stage")
    await service.next_attempt()
    assert await call.is_wanted()
    await service.supervisor.cancel("t")
    assert not await call.is_wanted()


async def test_the_newest_attempt_alone_may_give_up() -> None:
    """When its stage is out of time, the task will end; an older one that still runs somewhere ends nothing."""
    service = Running()
    older = ClaimedCall(service.submits, await service.first_attempt(), "stage", gives_up=lambda: True)
    assert not await older.is_wanted()
    newer = ClaimedCall(service.submits, await service.next_attempt(), "stage", gives_up=lambda: True)
    assert await older.is_wanted()
    assert not await newer.is_wanted()


async def test_a_verb_knows_the_receipt_of_an_earlier_attempt() -> None:
    """Before it has made its inputs ready."""
    service = Running()
    work = await service.first_attempt()
    assert ClaimedCall(service.submits, work, "stage").receipt is None
    await service.submits.claim("t", 1, "stage", "token")
    await service.submits.record("t", "stage", "token", "request 1")
    assert ClaimedCall(service.submits, await service.next_attempt(), "stage").receipt == "request 1"
