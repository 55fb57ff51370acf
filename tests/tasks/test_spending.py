"""Money: reserved with the claim, replaced by what was billed, and freed only by what is certain."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.errors import BudgetExceeded
from deployments.tasks.entry import Entry, PaidSubmit, Spending
from deployments.tasks.record import Charge
from deployments.tasks.spending import PriceList, Spendings
from tests.tasks.in_process import AT, task_and_work

STEP, ENGINE, MODEL = "generate_background", "fal", "model"
PRICES = {MODEL: Decimal("0.04"), "dear": Decimal(1)}


class Money:
    """Spendings of one caller, whose time a test sets."""

    def __init__(self, budget: str | None = "0.1") -> None:
        self.now = AT
        self.billed: list[tuple[str, str, Decimal]] = []
        self.spendings = Spendings(
            PriceList(PRICES),
            lambda _: None if budget is None else Decimal(budget),
            lambda: self.now,
            on_spent=lambda *what: self.billed.append(what),
        )

    @property
    def spent(self) -> Decimal:
        return self.spendings.spent("default")

    def claim(self, token: str, entry: Entry | None = None, model: str | None = MODEL) -> Entry:
        submit = PaidSubmit(token, at=self.now)
        entry = (entry or running(f"task of {token}")).claimed(1, STEP, ENGINE, submit)
        return self.spendings.reserved(entry, submit, model)

    def done(self, entry: Entry, units: float | None, model: str = MODEL) -> Entry:
        entry = self.spendings.billed(entry, (Charge(STEP, model, units),)).past([STEP])
        self.spendings.note(entry)
        return entry


def running(task_id: str = "t") -> Entry:
    return Entry(task_and_work(task_id)[0].attempted())


def amounts(entry: Entry) -> list[Decimal]:
    return [spending.amount for spending in entry.spent]


def test_the_last_known_price_is_reserved_and_replaced() -> None:
    """One unit where nothing is known; then what the model billed last, for any caller; decimals throughout."""
    money = Money(budget="10")
    first = money.claim("1")
    assert (amounts(first), money.spent) == ([Decimal("0.04")], Decimal("0.04"))
    first = money.done(first, 2.5)
    assert (amounts(first), money.spent) == ([Decimal("0.100")], Decimal("0.1"))
    assert money.billed == [("default", MODEL, Decimal("0.1"))]
    second = money.claim("2")
    assert money.spent == Decimal("0.2")
    money.done(second, None)  # a result that names no units counts as one
    assert money.spent == Decimal("0.14")
    assert amounts(money.claim("3")) == [Decimal("0.04")]


def test_a_price_is_learnt_from_any_caller() -> None:
    """What a model last billed somebody else is what it is expected to bill."""
    money = Money(budget="10")
    money.done(money.claim("1"), 2)
    other = Entry(replace(task_and_work("o")[0].attempted(), caller="mobile"))
    assert amounts(money.claim("2", other)) == [Decimal("0.08")]
    assert (money.spent, money.spendings.spent("mobile")) == (Decimal("0.08"), Decimal("0.08"))


def test_a_submit_that_would_break_the_budget_is_refused() -> None:
    """It is reserved in full or not at all; what fits exactly is let through."""
    money = Money(budget="0.08")
    money.claim("1")
    money.claim("2")
    with pytest.raises(BudgetExceeded):
        money.claim("3")
    assert money.spent == Decimal("0.08")


def test_a_claim_that_is_repeated_reserves_once() -> None:
    """Its answer may have been lost, and the budget be used up by itself."""
    money = Money(budget="0.04")
    entry = money.claim("1")
    assert money.claim("1", entry) == entry
    assert money.spent == Decimal("0.04")


def test_a_model_without_a_price_costs_nothing() -> None:
    """Nothing is reserved or recorded."""
    money = Money(budget="0")
    entry = money.done(money.claim("1", model="another"), 5, "another")
    assert not entry.spent
    assert money.spent == 0


def test_an_engine_that_names_no_model_reserves_for_the_dearest() -> None:
    """Nobody can tell which one it will ask; what it bills replaces that."""
    money = Money(budget="2")
    entry = money.claim("1", model=None)
    assert money.spent == 1
    money.done(entry, 1)
    assert money.spent == Decimal("0.04")


def test_what_is_billed_counts_where_nothing_was_reserved() -> None:
    """The engine asked a model without a price, and another one was billed."""
    money = Money()
    money.done(money.claim("1", model="another"), 1)
    assert money.spent == Decimal("0.04")


def test_a_call_that_was_free_is_not_expected_to_stay_so() -> None:
    """Else a budget would let through whatever came next."""
    money = Money()
    money.done(money.claim("1"), 0)
    assert money.spent == 0
    assert amounts(money.claim("2")) == [Decimal("0.04")]


def test_only_what_is_certain_frees_a_reservation() -> None:
    """A submit that was not taken, an engine that was passed over, and what the provider says not to have billed."""
    money = Money()
    entry = money.claim("1")
    for freed in (
        entry.released(STEP, ENGINE, "1"),
        entry.receipted(STEP, ENGINE, "1", "fal:r").passed_over(1, STEP, ENGINE, "it broke down"),
        money.spendings.corrected(entry, "1", Charge(STEP, "", 0)),
    ):
        money.spendings.note(freed)
        assert not freed.spent
        assert money.spent == 0
        money.spendings.note(entry)
        assert money.spent == Decimal("0.04")
    failed = entry.with_task(entry.task.advanced(1, entry.task.status, AT))
    money.spendings.note(failed)
    assert money.spent == Decimal("0.04")


def test_a_second_submit_after_an_unknown_one_counts_beside_it() -> None:
    """With `on_unknown_submit: retry`, both may have been charged."""
    money = Money()
    first = money.claim("1")
    submit = PaidSubmit("2", at=AT)
    both = money.spendings.reserved(first.claimed(1, STEP, ENGINE, submit, PaidSubmit("1", at=AT)), submit, MODEL)
    money.done(both, 0.5)
    assert money.spent == Decimal("0.06")


def test_a_spending_leaves_after_24_hours() -> None:
    """The oldest first; then there is more to spend."""
    money = Money(budget="0.08")
    money.claim("1")
    money.now += timedelta(hours=1)
    money.claim("2")
    assert money.spendings.seconds_to_more("default") == 23 * 3600
    money.now = AT + timedelta(hours=24) - timedelta(microseconds=1)
    assert money.spent == Decimal("0.08")
    money.now = AT + timedelta(hours=24)
    assert money.spent == Decimal("0.04")
    assert money.spendings.seconds_to_more("default") == 3600
    money.now += timedelta(hours=1)
    assert money.spent == 0
    assert money.spendings.seconds_to_more("default") == 24 * 3600


def test_callers_have_purses_of_their_own() -> None:
    """One that spends all leaves the others theirs."""
    money = Money(budget="0.04")
    money.claim("1")
    money.claim("2", Entry(replace(task_and_work("o")[0].attempted(), caller="mobile")))
    assert (money.spent, money.spendings.spent("mobile")) == (Decimal("0.04"), Decimal("0.04"))


def test_callers_without_a_budget_are_not_added_up() -> None:
    """But their entries say what they spent: a budget that is set later finds it there."""
    money = Money(budget=None)
    entry = money.done(money.claim("1"), 3)
    assert amounts(entry) == [Decimal("0.12")]
    assert money.spent == 0
    with_budget = Money()
    with_budget.spendings.recall([entry])
    assert with_budget.spent == Decimal("0.12")


def ended(entry: Entry) -> Entry:
    return entry.with_task(entry.task.finished(1, AT))


def test_what_a_journal_holds_is_added_up() -> None:
    """Reservations, what was billed, and what outlived its task; and each model's last known price."""
    money = Money(budget="10")
    billed = ended(money.done(money.claim("1"), 3))
    billed = billed.with_task(billed.task.charged((Charge(STEP, MODEL, 3),)))
    reserved = money.claim("2")
    alone = Entry.alone("default", Spending("3", AT, Decimal(5)))
    later = Money(budget="10")
    assert later.spendings.recall([alone, reserved, billed]) == [reserved, billed]
    assert later.spent == Decimal("0.12") + Decimal("0.12") + 5
    assert amounts(later.claim("4")) == [Decimal("0.12")]


def test_what_a_forgotten_task_has_spent_gets_an_entry_of_its_own() -> None:
    """Until a day is over; then it is forgotten too."""
    money = Money()
    money.done(money.claim("1"), 1)
    (alone,) = money.spendings.outliving(["task of 1", "unheard of"])
    assert alone.is_alone
    assert alone.task.is_ended
    assert money.spendings.outliving(["task of 1"]) == []
    assert money.spent == Decimal("0.04")
    assert money.spendings.outdated() == []
    again = Money()
    assert again.spendings.recall([alone]) == []
    assert again.spent == Decimal("0.04")
    for either in (money, again):
        either.now += timedelta(hours=24)
        assert either.spendings.outdated() == [alone.task.id]
        assert either.spendings.outdated() == []
        assert either.spent == 0


def test_a_late_word_on_a_forgotten_task_wins_too() -> None:
    """A task that is erased while it runs is forgotten before its provider has answered to the cancellation."""
    money = Money()
    money.claim("1")
    (alone,) = money.spendings.outliving(["task of 1"])
    late = money.spendings.late("task of 1", "1", Charge(STEP, "", 0))
    assert late is not None
    assert late.task.id == alone.task.id
    money.spendings.note(late)
    assert money.spent == 0
    assert money.spendings.late("task of 1", "1", Charge(STEP, "", 0)) is None


def test_what_is_older_than_a_day_is_not_kept() -> None:
    """The task's own entry was all."""
    money = Money()
    money.done(money.claim("1"), 1)
    money.now += timedelta(hours=24)
    assert money.spendings.outliving(["task of 1"]) == []


def test_a_late_word_on_an_ended_task_wins() -> None:
    """It stands in an entry of its own: over the task's entry at the next start, and when the task is forgotten."""
    money = Money()
    entry = ended(money.claim("1"))
    late = money.spendings.late("task of 1", "1", Charge(STEP, "", 0))
    assert late is not None
    assert money.spent == Decimal("0.04")  # not before it is durable
    money.spendings.note(late)
    assert money.spent == 0
    assert money.spendings.late("task of 1", "1", Charge(STEP, "", 0)) is None
    assert money.spendings.late("unheard of", "1", Charge(STEP, "", 0)) is None
    assert money.spendings.outliving(["task of 1"]) == []
    for order in ([entry, late], [late, entry]):
        again = Money()
        again.spendings.recall(order)
        assert again.spent == 0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.decimals(0, 1000, places=4)), max_size=30))
def test_sums_are_exact(charges: Sequence[tuple[int, Decimal]]) -> None:
    """Whatever is billed, in thousandths of a unit: no binary fractions, and nothing is left when all is freed."""
    prices = {str(number): price for number, (_, price) in enumerate(charges)}
    money = Spendings(PriceList(prices), lambda _: Decimal("Infinity"), lambda: AT)
    entries = []
    for model, (thousandths, _) in zip(prices, charges, strict=True):
        submit = PaidSubmit(model, at=AT)
        entry = money.reserved(running(model).claimed(1, STEP, ENGINE, submit), submit, model)
        entries.append(money.billed(entry, (Charge(STEP, model, thousandths / 1000),)))
        money.note(entries[-1])
    assert money.spent("default") == sum(Decimal(units) / 1000 * price for units, price in charges)
    for entry in entries:
        money.note(replace(entry, spent=()))
    assert money.spent("default") == 0


def test_a_spending_that_lies_ahead_keeps_no_other_in_the_budget() -> None:
    """It was made while the clock was a month ahead; it stays until then, and the others leave after their day."""
    money = Money("1")
    money.now += timedelta(days=30)
    money.claim("ahead")
    money.now = AT
    money.claim("one")
    money.claim("two")
    money.now += timedelta(hours=23)
    assert (money.spent, money.spendings.seconds_to_more("default")) == (Decimal("0.12"), 3600)
    money.now += timedelta(hours=2)
    assert money.spent == Decimal("0.04")
