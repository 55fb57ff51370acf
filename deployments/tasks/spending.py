"""Money: what a paid call is expected to cost, what it did cost, and what each caller has spent within 24 hours.

1. Before a submit is sent, what the call cost last time is reserved, in the same commit as the submit's claim.
2. When the step is done, what was billed replaces that.
3. A submit that was certainly not taken, or not billed, frees it. In all other cases the reservation stands.

So the sum is never below what providers may have charged, whatever dies in between. It is the journal's: it is added up
from the entries, and a spending that outlives its task has an entry of its own (`Entry.alone`) until a day has passed.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from deployments.errors import BudgetExceeded
from deployments.tasks.entry import ALONE, Entry, PaidSubmit, Spending
from deployments.tasks.record import Charge

logger = logging.getLogger(__name__)

OnSpent = Callable[[str, str, Decimal], None]

DAY = timedelta(hours=24)
NOTHING = Decimal(0)
_ONE = Decimal(1)


def nobody_asks(_caller: str, _model: str, _amount: Decimal) -> None:
    pass


class PriceList:
    """What calls cost: `prices` by model, for each unit that its provider bills. Remembers what was billed last."""

    def __init__(self, prices: Mapping[str, Decimal]) -> None:
        self._prices = prices
        self._units: dict[str, Decimal] = {}

    def expected(self, model: str | None) -> Decimal:
        """The last known price of a call of this model; of an unknown one (None), that of the dearest."""
        models = self._prices if model is None else self._prices.keys() & {model}
        return max((self._prices[name] * self._units.get(name, _ONE) for name in models), default=NOTHING)

    def amount(self, charge: Charge) -> Decimal | None:
        """What the charge is in money; None where the model has no price."""
        price = self._prices.get(charge.model)
        return None if price is None else price * _units_of(charge)

    def amounts(self, charges: tuple[Charge, ...]) -> tuple[Decimal | None, ...]:
        """What each charge is in money; nothing where no prices are set."""
        return tuple(self.amount(charge) for charge in charges) if self._prices else ()

    def learn(self, charges: Iterable[Charge]) -> None:
        """These were billed, the newest last. What was once free is not expected to stay so."""
        if self._prices:
            self._units |= {charge.model: units for charge in charges if (units := _units_of(charge)) > 0}


def _units_of(charge: Charge) -> Decimal:
    """A result that names no units counts as one. Of a float, the digits that it is written with."""
    return _ONE if charge.units is None else Decimal(str(charge.units))


class _Purse:
    """What one caller has spent: the spendings by their tokens, the oldest first, and their sum."""

    def __init__(self) -> None:
        self.spendings: dict[str, Spending] = {}
        self.sum = NOTHING

    def put(self, spending: Spending) -> None:
        """Takes the place of what was known of the same token."""
        before = self.spendings.get(spending.token)
        self.sum += spending.amount - (before.amount if before else NOTHING)
        self.spendings[spending.token] = spending

    def drop(self, token: str) -> None:
        if (spending := self.spendings.pop(token, None)) is not None:
            self.sum -= spending.amount

    def outdated(self, at: datetime) -> list[str]:
        """Drops what is older than a day, and returns the tokens. What lies ahead (a clock was set back) stays."""
        past = []
        for token, spending in self.spendings.items():
            if at - spending.at >= DAY:
                past.append(token)
            elif spending.at <= at:
                break
        for token in past:
            self.drop(token)
        return past


class _OfTask(NamedTuple):
    """What a task has cost so far: needed when it has ended."""

    caller: str
    spent: tuple[Spending, ...]


_NONE = _OfTask("", ())


class Spendings:
    """What callers have spent within 24 hours. Not thread-safe: it lives on one event loop.

    Sums are kept of callers with a budget: `budget_of` tells it, None is no budget. `on_spent` is called with the
    caller, the model and the amount of each charge.
    """

    def __init__(
        self,
        prices: PriceList,
        budget_of: Callable[[str], Decimal | None],
        clock: Callable[[], datetime],
        on_spent: OnSpent = nobody_asks,
    ) -> None:
        self.prices = prices
        self._budget_of = budget_of
        self._clock = clock
        self._on_spent = on_spent
        self._purses: dict[str, _Purse] = {}
        self._of_tasks: dict[str, _OfTask] = {}  # by the task's id
        self._alone: set[str] = set()  # tokens whose spending has an entry of its own
        self._outliving: dict[str, Entry] = {}  # by token: those of forgotten tasks, as long as nothing else is known
        self._past: list[str] = []  # ids of such entries that are older than a day

    def recall(self, entries: list[Entry]) -> list[Entry]:
        """Adds up what a journal holds, and returns the entries that are tasks."""
        tasks = [entry for entry in entries if not entry.is_alone]
        alone = [entry for entry in entries if entry.is_alone]
        self._alone |= {spending.token for entry in alone for spending in entry.spent}
        # What an entry of its own says of a submit came later than what the task's entry says.
        spent = {s.token: (entry.task.caller, s) for entry in (*tasks, *alone) for s in entry.spent}
        for caller, spending in sorted(spent.values(), key=lambda known: known[1].at):
            self._purse(caller).put(spending)
        self._of_tasks = {entry.task.id: _OfTask(entry.task.caller, entry.spent) for entry in tasks if entry.spent}
        for entry in sorted(tasks, key=lambda entry: entry.task.timeline[-1].at):
            self.prices.learn(entry.task.charges)
        return tasks

    @property
    def callers(self) -> list[str]:
        """All who have spent something."""
        return list(self._purses)

    def spent(self, caller: str) -> Decimal:
        """Money within the last 24 hours, reservations included."""
        return self._fresh(caller).sum

    def seconds_to_more(self, caller: str) -> float:
        """Until the caller's oldest spending leaves the 24 hours; a day where there is none."""
        now = self._clock()
        spendings = self._fresh(caller).spendings.values()
        ages = (now - spending.at for spending in spendings if spending.amount and spending.at <= now)
        return (DAY - next(ages, timedelta())).total_seconds()

    def reserved(self, entry: Entry, submit: PaidSubmit, model: str | None) -> Entry:
        """The entry with what the submit is expected to cost. It counts from now on, before it is durable.

        Raises:
            BudgetExceeded: its caller has less left.
        """
        amount, caller = self.prices.expected(model), entry.task.caller
        if not amount or entry.spending_of(submit.token) is not None:
            return entry
        budget = self._budget_of(caller)
        if budget is not None and self.spent(caller) + amount > budget:
            raise BudgetExceeded(
                "What is left of your budget for 24 hours does not pay for this image model: try again later, or ask "
                "the service's operator for a larger budget."
            )
        entry = entry.spending(Spending(submit.token, self._clock(), amount))
        self.note(entry)
        return entry

    def billed(self, entry: Entry, charges: tuple[Charge, ...]) -> Entry:
        """The entry with what was billed for the steps that its open submits were sent for."""
        for charge in charges:
            for submit in entry.paid.get(charge.step, {}).values():
                if submit.is_open:
                    self.prices.learn([charge])
                    known = Spending(submit.token, self._clock(), NOTHING)
                    entry = self._with(entry, entry.spending_of(submit.token) or known, charge)
        return entry

    def corrected(self, entry: Entry, token: str, charge: Charge) -> Entry:
        """The entry with what was billed for a submit that made nothing."""
        known = entry.spending_of(token)
        return entry if known is None else self._with(entry, known, charge)

    def late(self, task_id: str, token: str, charge: Charge) -> Entry | None:
        """The same for a task that has ended: an entry of its own. None where that changes nothing."""
        if (outliving := self._outliving.pop(token, None)) is not None:
            caller, spent = outliving.task.caller, outliving.spent
        else:
            caller, spent = self._of_tasks.get(task_id, _NONE) if token not in self._alone else _NONE
        known = next((spending for spending in spent if spending.token == token), None)
        if known is None:
            return None
        self._alone.add(token)
        return Entry.alone(caller, replace(known, amount=self.prices.amount(charge) or NOTHING))

    def note(self, entry: Entry) -> None:
        """The spendings are as the entry says. Called once that is durable; where they grow, before."""
        before = self._of_tasks.get(entry.task.id, _NONE).spent
        if self._budget_of(entry.task.caller) is None or not (entry.spent or before):
            return
        purse = self._purse(entry.task.caller)
        for spending in entry.spent:
            if self._clock() - spending.at < DAY:
                purse.put(spending)
        for gone in {spending.token for spending in before} - {spending.token for spending in entry.spent}:
            purse.drop(gone)
        if not entry.is_alone:
            self._of_tasks[entry.task.id] = _OfTask(entry.task.caller, entry.spent)

    def outliving(self, task_ids: Iterable[str]) -> list[Entry]:
        """Entries of their own for what these tasks have spent within a day: theirs are about to be forgotten."""
        left = [
            Entry.alone(caller, spending)
            for caller, spent in (self._of_tasks.pop(task_id, _NONE) for task_id in task_ids)
            for spending in spent
            if spending.token not in self._alone and self._clock() - spending.at < DAY
        ]
        self._outliving |= {spending.token: entry for entry in left for spending in entry.spent}
        self._alone |= self._outliving.keys()
        return left

    def still_outlives(self, entry: Entry) -> bool:
        """Whether an entry of `outliving` is still the newest word on its spending."""
        return any(self._outliving.get(spending.token) is entry for spending in entry.spent)

    def outdated(self) -> list[str]:
        """The ids of entries of their own that nobody needs any more; each is returned once."""
        for caller in self._purses:
            self._fresh(caller)
        past, self._past = self._past, []
        return past

    def _with(self, entry: Entry, known: Spending, charge: Charge) -> Entry:
        amount = self.prices.amount(charge)
        if amount is None:
            return entry.freed(known.token)
        self._on_spent(entry.task.caller, charge.model, amount)
        logger.info("%s cost the caller %s %s.", charge.step, entry.task.caller, amount)
        return entry.spending(replace(known, amount=amount))

    def _purse(self, caller: str) -> _Purse:
        return self._purses.setdefault(caller, _Purse())

    def _fresh(self, caller: str) -> _Purse:
        """The caller's purse without what is older than a day."""
        purse = self._purse(caller)
        for token in purse.outdated(self._clock()):
            if token in self._alone:
                self._alone.discard(token)
                self._outliving.pop(token, None)
                self._past.append(f"{ALONE}{token}")
        return purse
