"""A budget through any life: claims, bills, refusals, ends, restarts and days, in any order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from deployments.errors import BudgetExceeded, ErrorCode
from deployments.tasks.entry import Entry, PaidSubmit
from deployments.tasks.record import Charge, Failure
from deployments.tasks.spending import DAY, PriceList, Spendings
from tests.tasks.in_process import AT, task_and_work

STEP, ENGINE, MODEL, CALLER = "generate_background", "fal", "model", "default"
PRICE = Decimal("0.1")
BUDGET = Decimal("0.3")
CALLED_OFF = Failure(ErrorCode.CANCELLED, "The task was cancelled.")


@dataclass(frozen=True)
class Submit:
    """A submit that was claimed: sent or not, its fate is known to the provider alone."""

    task_id: str
    token: str


class Life(RuleBasedStateMachine):
    """The journal is a dict. The provider's own book holds when each submit was claimed that it charges for."""

    claimed = Bundle("claimed")
    sent = Bundle("sent")
    ended = Bundle("ended")

    def __init__(self) -> None:
        super().__init__()
        self.now = AT
        self.number = 0
        self.journal: dict[str, Entry] = {}
        self.charged: dict[str, tuple[datetime, Decimal]] = {}
        self.begin()

    def begin(self) -> None:
        self.spendings = Spendings(PriceList({MODEL: PRICE}), lambda _: BUDGET, lambda: self.now)
        self.spendings.recall(list(self.journal.values()))

    def write(self, entry: Entry) -> None:
        self.journal[entry.task.id] = entry
        self.spendings.note(entry)

    def claim(self) -> tuple[Submit, Entry] | None:
        self.number += 1
        submit = Submit(f"task {self.number}", f"token {self.number}")
        claim = PaidSubmit(submit.token, at=self.now)
        entry = Entry(task_and_work(submit.task_id)[0].attempted()).claimed(1, STEP, ENGINE, claim)
        try:
            return submit, self.spendings.reserved(entry, claim, MODEL)
        except BudgetExceeded:
            assert self.spendings.spent(CALLER) + PRICE > BUDGET
            return None

    @rule(target=claimed)
    def claims(self) -> object:
        """The claim becomes durable."""
        if (made := self.claim()) is None:
            return multiple()
        submit, entry = made
        self.write(entry)
        return submit

    @rule()
    def dies_before_the_claim_is_durable(self) -> None:
        """Nothing was sent."""
        self.claim()
        self.begin()

    @rule()
    def dies(self) -> None:
        """All that is known is what the journal holds."""
        before = self.spendings.spent(CALLER)
        self.begin()
        assert self.spendings.spent(CALLER) == before

    @rule(target=sent, submit=consumes(claimed))
    def sends(self, submit: Submit) -> Submit:
        """The provider takes it, and charges for it."""
        self.charged[submit.token] = (self.at(submit), PRICE)
        return submit

    @rule(submit=consumes(claimed))
    def is_refused(self, submit: Submit) -> None:
        """The provider certainly does not take it."""
        self.write(self.journal[submit.task_id].released(STEP, ENGINE, submit.token))

    @rule(target=ended, submit=consumes(sent))
    def is_done(self, submit: Submit) -> Submit:
        """The provider names what it bills, and the task ends."""
        entry = self.spendings.billed(self.journal[submit.task_id], (Charge(STEP, MODEL, 1),)).past([STEP])
        self.write(entry)
        self.write(entry.with_task(entry.task.finished(1, self.now)))
        return submit

    @rule(target=ended, submit=consumes(sent))
    def is_lost(self, submit: Submit) -> Submit:
        """The outcome stays unknown, and the task ends."""
        entry = self.journal[submit.task_id]
        self.write(entry.with_task(entry.task.failed(CALLED_OFF, self.now)))
        return submit

    @rule(target=ended, submit=consumes(claimed))
    def is_cancelled_unbilled(self, submit: Submit) -> Submit:
        """The task has ended when the provider says so."""
        entry = self.journal[submit.task_id]
        self.write(entry.with_task(entry.task.failed(CALLED_OFF, self.now)))
        if (late := self.spendings.late(submit.task_id, submit.token, Charge(STEP, "", 0))) is not None:
            self.write(late)
        return submit

    @rule(submit=consumes(ended))
    def is_forgotten(self, submit: Submit) -> None:
        """By retention, or by its erasure: what it has spent is written first."""
        for entry in self.spendings.outliving([submit.task_id]):
            self.journal[entry.task.id] = entry
        for task_id in (submit.task_id, *self.spendings.outdated()):
            del self.journal[task_id]

    @rule(hours=st.integers(1, 15))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def at(self, submit: Submit) -> datetime:
        known = self.journal[submit.task_id].spending_of(submit.token)
        assert known is not None
        return known.at

    @invariant()
    def never_more_than_the_budget(self) -> None:
        spent = self.spendings.spent(CALLER)
        charged = sum(price for at, price in self.charged.values() if self.now - at < DAY)
        assert charged <= spent <= BUDGET

    @invariant()
    def the_journal_says_the_same(self) -> None:
        again = Spendings(PriceList({MODEL: PRICE}), lambda _: BUDGET, lambda: self.now)
        again.recall(list(self.journal.values()))
        assert again.spent(CALLER) == self.spendings.spent(CALLER)


TestLife = Life.TestCase
