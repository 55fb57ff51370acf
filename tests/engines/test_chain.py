"""The promises of deployments.engines.chain: whom to ask, through every pair of outcomes, and never two who charge."""

import asyncio

import pytest

from deployments.engines.base import Engine, Made, PaidCall
from deployments.engines.chain import Answer, Chain
from deployments.engines.circuit import FAILURES, OPEN_S, Circuit
from deployments.errors import (
    BudgetExceeded,
    ContentRejected,
    DeadlineExceeded,
    EngineError,
    EngineOutcomeUnknown,
    EngineTimeout,
    ErrorCode,
    FetchFailed,
    InvalidImage,
    NoPersonFound,
    NotCharged,
    SettingsError,
    TaskFailed,
)
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.engines.fakes import Behaviour, Fake, fake
from tests.engines.paid_calls import STEP, MemoryCalls, RecordedCall

BUSY = NotCharged("It is busy: try again later.", "it is busy")
BROKE = NotCharged("It broke down: try again later.", "it broke down")


def picture_of(engine: Fake) -> Made:
    return Made(Picture(engine.name.encode()), notes=("A note of its own.",))


async def makes(engine: Fake, call: PaidCall) -> Made:
    await engine.sends(call)
    return picture_of(engine)


async def makes_for_nothing(engine: Fake, _call: PaidCall) -> Made:
    return picture_of(engine)


def refuses(failure: TaskFailed) -> Behaviour:
    """The provider certainly did not take the submit."""

    async def behave(engine: Fake, call: PaidCall) -> Made:
        async def send() -> str:
            engine.submits += 1
            raise failure

        await call.submit(send)
        raise AssertionError

    return behave


async def loses(engine: Fake, call: PaidCall) -> Made:
    """The provider took it, and its answer was lost."""

    async def send() -> str:
        engine.submits += 1
        engine.charged += 1
        raise ConnectionError

    await call.submit(send)
    raise AssertionError


def fails(failure: TaskFailed, *, charges: bool) -> Behaviour:
    """The provider took it, and failed at it."""

    async def behave(engine: Fake, call: PaidCall) -> Made:
        if call.receipt is None:
            await engine.sends(call, charges=charges)
        raise failure

    return behave


def asked_in_vain(failure: BaseException) -> Behaviour:
    async def behave(_fake: Fake, _call: PaidCall) -> Made:
        raise failure

    return behave


ENDS: dict[str, Behaviour] = {
    "an unknown outcome": loses,
    "a time-out": fails(EngineTimeout("Too slow."), charges=True),
    "a deadline": fails(DeadlineExceeded("Too slow."), charges=True),
    "content": fails(ContentRejected("No."), charges=True),
    "content, at submit": refuses(ContentRejected("No.")),
    "nobody": fails(NoPersonFound("Nobody."), charges=True),
    "no picture": fails(InvalidImage("No picture."), charges=True),
    "a failure that is charged": fails(EngineError("Broke down."), charges=True),
    "a refusal of this request": refuses(EngineError("A 409, or any other 400.")),
}
ONWARD: dict[str, Behaviour] = {
    "never sent": refuses(NotCharged("It cannot be reached.", "it cannot be reached")),
    "busy": refuses(BUSY),
    "a failure that costs nothing": fails(BROKE, charges=False),
    "no submit at all": asked_in_vain(BUSY),
}
MADE: dict[str, Behaviour] = {"made": makes, "made for nothing": makes_for_nothing}


def cannot_make(name: str) -> Engine:
    raise SettingsError(f"{name}: its key is missing")


def chain_of(*engines: Fake) -> Chain:
    return Chain({engine.name: engine for engine in engines}, cannot_make)


async def asked(chain: Chain, calls: MemoryCalls) -> Answer:
    return await chain.made(calls, lambda engine, call: engine.background("hills", AspectRatio.SQUARE, call))


async def outcome_of(chain: Chain, calls: MemoryCalls) -> Answer | TaskFailed:
    try:
        return await asked(chain, calls)
    except TaskFailed as failure:
        return failure


@pytest.mark.parametrize("second", ENDS | ONWARD | MADE)
@pytest.mark.parametrize("first", ENDS | ONWARD | MADE)
async def test_every_pair_of_outcomes(first: str, second: str) -> None:
    """The second engine is asked only where the first certainly charges nothing; never do both charge.

    Nor does anybody charge in a second attempt, which walks the same way.
    """
    every = ENDS | ONWARD | MADE
    one, two = fake("one", every[first]), fake("two", every[second])
    calls = MemoryCalls()
    outcome = await outcome_of(chain_of(one, two), calls)
    assert two.asked == (first in ONWARD)
    assert one.charged + two.charged <= 1
    if first in ONWARD and second in MADE:
        assert isinstance(outcome, Answer)
        assert outcome.engine == "two"
        assert outcome.made.notes[0].startswith("The engine one was passed over: it ")
    again = calls.next_attempt()
    await outcome_of(chain_of(one, two), again)
    assert one.charged + two.charged <= 1
    assert len(again.open) <= 1


async def test_the_first_engine_that_can_does_it() -> None:
    """And nobody is told anything."""
    one, two = fake("one", makes), fake("two", makes)
    answer = await asked(chain_of(one, two), MemoryCalls())
    assert (answer.engine, answer.made.notes, two.asked) == ("one", ("A note of its own.",), 0)


async def test_each_step_onward_is_told() -> None:
    """In the order in which the engines were passed over."""
    engines = [fake("one", ONWARD["busy"]), fake("two", ONWARD["never sent"]), fake("three", makes)]
    answer = await asked(chain_of(*engines), MemoryCalls())
    assert answer.made.notes == (
        "The engine one was passed over: it is busy.",
        "The engine two was passed over: it cannot be reached.",
        "A note of its own.",
    )


async def test_where_nobody_can_the_last_one_says_why() -> None:
    """What it says is for the caller."""
    failure = await outcome_of(chain_of(fake("one", ONWARD["busy"]), fake("two", refuses(BROKE))), MemoryCalls())
    assert failure is BROKE


async def test_a_later_attempt_walks_the_same_way() -> None:
    """An engine that was passed over is not asked again; the note stays."""
    one, two = fake("one", ONWARD["a failure that costs nothing"]), fake("two", makes)
    calls = MemoryCalls()
    await asked(chain_of(one, two), calls)
    one.behave = makes
    answer = await asked(chain_of(one, two), calls.next_attempt())
    assert (answer.engine, one.asked, two.submits) == ("two", 1, 1)
    assert answer.made.notes[0] == "The engine one was passed over: it broke down."


async def test_who_was_asked_finishes_whatever_the_order_is_now() -> None:
    """The settings have changed between two attempts."""
    one, two = fake("one", makes), fake("two", makes)
    calls = MemoryCalls()
    await asked(chain_of(one, two), calls)
    assert (await asked(chain_of(two, one), calls.next_attempt())).engine == "one"
    assert (one.submits, two.asked) == (1, 0)


async def test_who_was_asked_finishes_though_nobody_names_it_any_more() -> None:
    """It is made for that, and asked nothing new."""
    one, two = fake("one", makes), fake("two", makes)
    calls = MemoryCalls()
    await asked(chain_of(one), calls)
    made: list[str] = []

    def make(name: str) -> Engine:
        made.append(name)
        return one

    for chain in (Chain({"two": two}, make), Chain({}, make)):
        later = calls.next_attempt()
        assert chain.has_work(later)
        assert (await asked(chain, later)).engine == "one"
    assert (made, one.submits, two.asked) == (["one", "one"], 1, 0)


async def test_a_claim_of_an_engine_that_nobody_names_is_no_reason_to_ask_it() -> None:
    """Its submit turns out never to have been sent: today's engines are asked."""
    one, two = fake("one", makes), fake("two", makes)
    calls = MemoryCalls()
    await outcome_of(chain_of(fake("one", loses)), calls)
    later = calls.next_attempt()
    call = later.of("one")
    assert isinstance(call, RecordedCall)
    call.claimed = False
    later.entry = later.entry.released(STEP, "one", "token")
    answer = await asked(Chain({"two": two}, lambda _: one), later)
    assert (answer.engine, one.submits, two.submits) == ("two", 0, 1)


@pytest.mark.parametrize(
    ("behave", "code"),
    [(makes, ErrorCode.ENGINE_ERROR), (loses, ErrorCode.ENGINE_OUTCOME_UNKNOWN)],
    ids=["a receipt", "a claim"],
)
async def test_who_was_asked_and_cannot_be_made(behave: Behaviour, code: ErrorCode) -> None:
    """The task ends, and says so; nobody else is asked, and no key or variable is named."""
    calls, two = MemoryCalls(), fake("two", makes)
    await outcome_of(chain_of(fake("one", behave)), calls)
    failure = await outcome_of(chain_of(two), calls.next_attempt())
    assert isinstance(failure, TaskFailed)
    assert (failure.code, two.asked) == (code, 0)
    assert "key" not in str(failure)


async def test_an_engine_that_journals_know_by_the_name_that_it_is_shown_by() -> None:
    """As schema 2 did: it is found among those in use."""
    mine = fake("mine", makes)
    calls = MemoryCalls()
    await asked(chain_of(mine), calls)
    answer = await asked(Chain({"my.own:Engine": mine}, cannot_make), calls.next_attempt())
    assert (answer.engine, mine.submits) == ("mine", 1)


async def test_an_unknown_submit_is_not_passed_over() -> None:
    """Though the engine says this time that it is busy: what was sent before may be charged."""
    one, two = fake("one", loses), fake("two", makes)
    calls = MemoryCalls()
    await outcome_of(chain_of(one, two), calls)
    one.behave = asked_in_vain(BUSY)
    assert isinstance(await outcome_of(chain_of(one, two), calls.next_attempt()), EngineOutcomeUnknown)
    assert two.asked == 0


async def test_a_cancelled_step_asks_nobody_else() -> None:
    """It ends where it is."""
    began = asyncio.Event()

    async def hangs(_fake: Fake, _call: PaidCall) -> Made:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    one, two = fake("one", hangs), fake("two", makes)
    running = asyncio.create_task(asked(chain_of(one, two), MemoryCalls()))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert two.asked == 0


async def test_one_deadline_bounds_the_whole_list() -> None:
    """A stage's: it is not begun anew with each engine."""

    async def is_slow(_fake: Fake, _call: PaidCall) -> Made:
        await asyncio.sleep(0.05)
        raise BUSY

    engines = [fake(str(number), is_slow) for number in range(100)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await asked(chain_of(*engines), MemoryCalls())
    assert 0 < sum(engine.asked for engine in engines) < 10


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_engine_that_has_failed_several_times_is_left_out() -> None:
    """For a while, and the caller is told; then one task tries, and either it stays out or all is well again."""
    clock = Clock()
    one, two = fake("one", ONWARD["busy"]), fake("two", makes)
    passed: list[tuple[str, str]] = []
    chain = Chain(
        {"one": one, "two": two},
        cannot_make,
        passing=lambda engine, reason: passed.append((engine, reason)),
        circuit=lambda: Circuit(clock=clock),
    )
    for _ in range(FAILURES + 3):
        answer = await asked(chain, MemoryCalls())
    assert (one.asked, two.asked, chain.circuits["one"].is_open) == (FAILURES, FAILURES + 3, True)
    assert answer.made.notes[0] == (
        "The engine one was passed over: it failed several times in a row, and is left out for a while."
    )
    assert len(passed) == FAILURES + 3
    clock.now += OPEN_S
    await asked(chain, MemoryCalls())
    await asked(chain, MemoryCalls())
    assert one.asked == FAILURES + 1
    one.behave = makes
    clock.now += OPEN_S
    assert (await asked(chain, MemoryCalls())).engine == "one"
    assert (await asked(chain, MemoryCalls())).engine == "one"
    assert not chain.circuits["one"].is_open


async def one_may_try() -> tuple[Fake, Chain, Clock]:
    """A chain whose first engine has failed so often that it was left out, until now."""
    clock = Clock()
    one = fake("one", ONWARD["busy"])
    chain = Chain({"one": one, "two": fake("two", makes)}, cannot_make, circuit=lambda: Circuit(clock=clock))
    for _ in range(FAILURES):
        await asked(chain, MemoryCalls())
    clock.now += OPEN_S
    return one, chain, clock


@pytest.mark.parametrize("verdict", [ContentRejected("No."), NoPersonFound("Nobody.")])
async def test_an_engine_that_judges_the_content_is_there(verdict: TaskFailed) -> None:
    """So it is left out no longer."""
    one, chain, _ = await one_may_try()
    one.behave = fails(verdict, charges=True)
    with pytest.raises(type(verdict)):
        await asked(chain, MemoryCalls())
    one.behave = ONWARD["busy"]  # the first of another row
    assert (await asked(chain, MemoryCalls())).engine == "two"
    one.behave = makes
    assert (await asked(chain, MemoryCalls())).engine == "one"


@pytest.mark.parametrize(
    "fault", [InvalidImage("No picture."), FetchFailed("Gone."), BudgetExceeded("Too dear."), asyncio.CancelledError()]
)
async def test_a_callers_own_fault_decides_nothing(fault: BaseException) -> None:
    """The next one tries, at once; one alone."""
    one, chain, clock = await one_may_try()
    one.behave = asked_in_vain(fault)
    with pytest.raises(type(fault)):
        await asked(chain, MemoryCalls())
    one.behave = ONWARD["busy"]
    for _ in range(2):
        assert (await asked(chain, MemoryCalls())).engine == "two"
    assert one.asked == FAILURES + 2
    clock.now += OPEN_S
    one.behave = makes
    assert (await asked(chain, MemoryCalls())).engine == "one"


async def test_an_engine_that_takes_too_long_stays_left_out() -> None:
    """Nobody else waits for it at once."""
    one, chain, _ = await one_may_try()
    one.behave = fails(EngineTimeout("Too slow."), charges=True)
    with pytest.raises(EngineTimeout):
        await asked(chain, MemoryCalls())
    assert (await asked(chain, MemoryCalls())).engine == "two"


async def test_the_last_engine_is_never_left_out() -> None:
    """There would be nobody to ask."""
    one = fake("one", ONWARD["busy"])
    chain = chain_of(one)
    for _ in range(FAILURES + 3):
        await outcome_of(chain, MemoryCalls())
    assert one.asked == FAILURES + 3


async def test_what_is_on_record_is_finished_by_an_engine_that_is_left_out() -> None:
    """It was paid."""
    one, two = fake("one", makes), fake("two", makes)
    chain = chain_of(one, two)
    calls = MemoryCalls()
    await asked(chain, calls)
    for _ in range(FAILURES):
        chain.circuits["one"].failed()
    assert (await asked(chain, calls.next_attempt())).engine == "one"
    assert two.asked == 0


async def test_nobody_to_ask() -> None:
    """As where nothing is blended; a stage asks first."""
    calls = MemoryCalls()
    assert not chain_of().has_work(calls)
    assert isinstance(await outcome_of(chain_of(), calls), EngineError)


async def test_the_last_engine_that_charges_nothing_frees_its_money() -> None:
    """It is not passed over, as no other one follows; its caller's budget is told all the same."""
    calls = MemoryCalls()
    only = fake("only", fails(BROKE, charges=False))
    with pytest.raises(NotCharged):
        await asked(chain_of(only), calls)
    assert calls.calls["only"].corrected == [(0, "")]
    charges = MemoryCalls()
    with pytest.raises(ContentRejected):
        await asked(chain_of(fake("only", fails(ContentRejected("No."), charges=True))), charges)
    assert charges.calls["only"].corrected == []
