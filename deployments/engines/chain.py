"""The engines of one verb, tried in order, so that a step is never paid for twice.

1. The journal comes first. If an earlier attempt has asked an engine, and that engine may charge, it finishes the work,
   even if the settings have changed since.
2. The next engine is asked only after `NotCharged`: the one before certainly did not take the work, or does not charge
   for it. Any other failure ends the step. After an unknown outcome or a time-out, the provider may have charged. After
   content was rejected, AIGE does not look for a less strict provider.
3. The journal says that an engine was passed over before the next one is asked. So a later attempt goes the same way.
4. An engine that has failed several times in a row is left out for a while, unless it is the last one of the list.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from deployments.engines.base import Engine, Known, Made, PaidCall, PaidCalls
from deployments.engines.circuit import Circuit
from deployments.errors import (
    BudgetExceeded,
    ContentRejected,
    EngineError,
    EngineOutcomeUnknown,
    FetchFailed,
    InvalidImage,
    NoPersonFound,
    NotCharged,
    SettingsError,
)

logger = logging.getLogger(__name__)

Ask = Callable[[Engine, PaidCall], Awaitable[Made]]
"""Asks an engine for the work, through one of its verbs."""

LEFT_OUT = "it failed several times in a row, and is left out for a while"
NOT_CHOSEN = "it is no longer chosen"


class Answer(NamedTuple):
    """What an engine made, the engine's `name`, and the engine."""

    engine: str
    made: Made
    by: Engine


class Chain:
    """Asks `engines`, keyed by their names in the settings, in order.

    `make` creates an engine that is not among them, but was asked earlier. `passing` is called with the name of each
    engine that is passed over, and with the reason.
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        make: Callable[[str], Engine],
        *,
        passing: Callable[[str, str], None] = lambda _engine, _reason: None,
        circuit: Callable[[], Circuit] = Circuit,
    ) -> None:
        self._engines = dict(engines)
        self._make = make
        self._others: dict[str, Engine] = {}
        self._passing = passing
        self.circuits = {name: circuit() for name in engines}

    def has_work(self, calls: PaidCalls) -> bool:
        """Whether there is an engine to ask, or a paid call of an earlier attempt to finish."""
        return bool(self._engines) or _asked(calls.known) is not None

    async def made(self, calls: PaidCalls, ask: Ask) -> Answer:
        """What one of the engines made; its notes say which engines were passed over.

        Raises:
            TaskFailed: why none of them made it.
        """
        over = {name: known.passed for name, known in calls.known.items() if known.passed is not None}
        asked = _asked(calls.known)
        failure = EngineError("None of the image models can be asked: try again later.")
        if asked is not None:
            try:
                return self._told(await self._finished(asked, calls, ask), over)
            except NotCharged as error:
                failure = error
                await self._pass_over(asked, error.reason, calls, over)
        waiting = [name for name in self._engines if name not in over]
        for name in waiting:
            is_last = name == waiting[-1]
            try:
                return self._told(await self._asked(name, calls.of(name), ask, is_last=is_last), over)
            except NotCharged as error:
                failure = error
                if not is_last:
                    await self._pass_over(name, error.reason, calls, over)
        raise failure

    async def _asked(self, name: str, call: PaidCall, ask: Ask, *, is_last: bool) -> Answer:
        circuit = self.circuits[name]
        if not circuit.admits() and not is_last:
            raise NotCharged("The image model has failed several times in a row: try again later.", LEFT_OUT)
        engine = self._engines[name]
        try:
            made = await ask(engine, call)
        except NotCharged:
            circuit.failed()
            if is_last:  # else the engine is passed over, which frees the money too
                await call.made_nothing(0)
            raise
        except (ContentRejected, NoPersonFound):
            circuit.worked()
            raise
        except (InvalidImage, FetchFailed, BudgetExceeded, asyncio.CancelledError):  # all of them the caller's own
            circuit.undecided()
            raise
        circuit.worked()
        return Answer(engine.name, made, engine)

    async def _finished(self, name: str, calls: PaidCalls, ask: Ask) -> Answer:
        """What the engine made that an earlier attempt had asked. If it is no longer chosen, it submits nothing new."""
        call = calls.of(name)
        engine = self._engines.get(name)
        if engine is None:
            engine = self._other(name, has_receipt=call.receipt is not None)
            call = _SendsNothing(call)
        return Answer(engine.name, await ask(engine, call), engine)

    def _other(self, name: str, *, has_receipt: bool) -> Engine:
        """The engine that was asked. Journals of schema 2 hold its `name` instead of its name in the settings."""
        for engine in self._engines.values():
            if engine.name == name:
                return engine
        try:
            if name not in self._others:
                self._others[name] = self._make(name)
        except SettingsError as error:
            logger.warning("The engine %s was asked for this, and cannot be used: %s", name, error)
            if not has_receipt:
                raise EngineOutcomeUnknown.contact_lost() from error
            raise EngineError(
                f"The engine {name} was paid for this and has to finish it, but it cannot be used any more: the "
                "service's operator has to set it up again."
            ) from error
        return self._others[name]

    async def _pass_over(self, name: str, reason: str, calls: PaidCalls, over: dict[str, str]) -> None:
        await calls.pass_over(name, reason)
        over[name] = reason
        self._passing(name, reason)
        logger.warning("%s was passed over: %s.", name, reason)

    def _told(self, answer: Answer, over: Mapping[str, str]) -> Answer:
        notes = (f"The engine {self._shown(name)} was passed over: {reason}." for name, reason in over.items())
        return answer._replace(made=replace(answer.made, notes=(*notes, *answer.made.notes)))

    def _shown(self, name: str) -> str:
        engine = self._engines.get(name)
        return name if engine is None else engine.name


class _SendsNothing:
    """A paid call that returns an earlier receipt, but submits nothing: the engine may only finish earlier work."""

    def __init__(self, call: PaidCall) -> None:
        self._call = call
        self.receipt = call.receipt
        self.key = call.key
        self.claimed_at = call.claimed_at
        self.found = call.found
        self.report = call.report
        self.is_wanted = call.is_wanted
        self.made_nothing = call.made_nothing

    async def submit(self, _send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        async def send_nothing() -> str:
            raise NotCharged("The image model is no longer chosen: try again.", NOT_CHOSEN)

        return await self._call.submit(send_nothing, model)


def _asked(known: Mapping[str, Known]) -> str | None:
    """The engine that has been asked and may charge; None if there is none."""
    return next((name for name, left in known.items() if left.passed is None), None)
