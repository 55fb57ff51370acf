"""The protocol of an engine: four verbs that make pixels, and the arguments that they get.

An engine does not place a person on a background: AIGE does, exactly (`deployments.media.compose.compose`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.provenance.sources import DigitalSource
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment

if TYPE_CHECKING:  # `make run` only wants to know whether the engine is there, and opens no URL
    from deployments.media.egress import Egress


class Verb(StrEnum):
    """What an engine can be asked to make."""

    PORTRAIT = "portrait"
    BACKGROUND = "background"
    CUT_OUT = "cut_out"
    BLEND = "blend"


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine is constructed with: `Engine(context)`.

    Use `egress` for every URL from a request. `limits` caps the pictures that may be decoded. `options` are the
    engine's own, unchecked; `options_at` is their place in the configuration, for messages. `environment` has the keys.
    """

    egress: "Egress"
    limits: PictureLimits
    environment: Environment
    options: Mapping[str, object] = field(default_factory=dict)
    options_at: str = "engine_options"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider charges: `units` as it bills `model`; None where it does not say."""

    model: str
    units: float | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a verb returns: the picture, notes for the caller (one plain sentence each), and what was charged.

    `model` is the name of the model that made the picture. It may be left out if there is none, or if `cost` names it.
    """

    picture: Picture
    notes: tuple[str, ...] = ()
    cost: Cost | None = None
    model: str | None = None

    @property
    def by_model(self) -> str | None:
        """The model that made the picture; None where it has no name."""
        return self.cost.model if self.cost else self.model


class PaidCall(Protocol):
    """A verb's one call to a provider that charges: sent at most once, whichever process dies."""

    receipt: str | None
    """The request id, once it is recorded; before `submit`, that of an earlier attempt, which lets an engine skip
    preparing its inputs.
    """

    key: str
    """A UUID that is the same in every attempt, for providers that take an idempotency key."""

    claimed_at: datetime | None
    """When the submit whose answer may be lost was claimed, by this attempt or an earlier one; None if none was."""

    async def submit(self, send: Callable[[], Awaitable[str]], model: str | None = None) -> str:
        """The provider's request id: from `send`, or, if an earlier attempt has already submitted, that attempt's.

        `model` is the one that will be billed: its price is reserved in the caller's budget. Without it, that of the
        dearest model is.

        This records a claim before it calls `send`, and the request id right after it; a cancellation cannot separate
        the two. `send` sends exactly one request. It raises `TaskFailed` only if the provider certainly did not take
        the request; then `submit` may be called again. Any other exception means that the outcome is unknown.

        Raises:
            EngineOutcomeUnknown: a submit was sent, by this attempt or an earlier one, and its answer was never seen.
            BudgetExceeded: the caller's budget does not pay for it; nothing was sent.
        """
        ...

    async def made_nothing(self, units: float, model: str = "") -> None:
        """Records what was billed for a request that made no picture: `units` of `model`, 0 if nothing.

        Only for what is certain. As long as nothing is recorded, the reservation stands.
        """
        ...

    async def found(self, receipt: str) -> None:
        """Records the request id of a submit of unknown outcome, once the provider has been asked for it."""
        ...

    def report(self, progress: str) -> None:
        """Shows the provider's progress, one short sentence, while the verb runs. It may be repeated."""
        ...

    async def is_wanted(self) -> bool:
        """Whether the result is still wanted. It is not once the task has ended or is out of time. It is if only this
        attempt was lost.
        """
        ...


class Known(Protocol):
    """What earlier attempts at a step have recorded of one engine's paid call."""

    @property
    def receipt(self) -> str | None: ...

    @property
    def passed(self) -> str | None:
        """A clause that says why the engine was passed over; None if it was not."""
        ...


class PaidCalls(Protocol):
    """The paid calls of one attempt at one step: one for each engine, named as in `serve_config.yaml`."""

    @property
    def known(self) -> Mapping[str, Known]:
        """What earlier attempts have recorded, by engine."""
        ...

    def of(self, engine: str, /) -> PaidCall: ...

    async def pass_over(self, engine: str, reason: str, /) -> None:
        """Records that the engine certainly did not do the work and does not charge for it, before another is asked.

        Raises:
            EngineOutcomeUnknown: an earlier submit to it may have been sent.
        """
        ...


@runtime_checkable
class Engine(Protocol):
    """Makes pixels. Every verb may raise any `TaskFailed`; anything else that it raises ends the task as `internal`.

    `NotCharged` is the one failure after which the next engine of a list is asked.

    An engine may also have two classmethods. `check(options, environment)` raises `SettingsError` where the engine
    cannot work with these options and keys. `lacks(verb, options)` returns a clause that says why the engine cannot do
    a verb, or None if it can. After an error or a clause, the service does not start. A method
    `digital_source(verb)` says of which kind the pictures are that a verb makes; see `source_of`.

    An engine whose provider keeps requests may have a method `async def erase(self, receipt: str) -> bool`. It asks the
    provider to delete what it keeps of a request, and returns whether the provider says that it has.

    The verbs run on an event loop: work that takes more than a few milliseconds of CPU belongs in a thread. An engine
    that pays for what it makes submits through `call`. A cancelled verb also cancels the provider's request, unless
    `call.is_wanted()`: then the next attempt waits for that request.
    """

    name: ClassVar[str]
    """Shown as `engine` in tasks and in `GET /service`."""

    generative: ClassVar[bool]
    """Whether a generative model makes the pictures."""

    @property
    def blends(self) -> bool:
        """Whether the engine can blend; if false, `blend` is never called. Where that depends on the options, `lacks`
        has to say so too: the start and `GET /service` go by it.
        """
        ...

    def __init__(self, context: EngineContext) -> None: ...

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall, /) -> Made:
        """A portrait of the person in `photos` (1 to 8), about `ratio` in shape, opaque or not."""
        ...

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall, /) -> Made:
        """An opaque scene, about `ratio` in shape."""
        ...

    async def cut_out(self, picture: Picture, call: PaidCall, /) -> Made:
        """The person in `picture`, everything else transparent, same size; a picture with transparency is unchanged.

        Raises:
            NoPersonFound: no person is in it.
        """
        ...

    async def blend(self, prompt: str, composite: Picture, call: PaidCall, /) -> Made:
        """`composite` with light and shadow that join person and background; nothing moves."""
        ...


def source_of(engine: Engine, verb: Verb) -> DigitalSource | None:
    """The kind of picture that the verb makes, in IPTC's terms: what the engine's own `digital_source(verb)` says.

    By default, a generative model's pictures are `trainedAlgorithmicMedia`; else a portrait is a changed photo, and a
    background the work of an algorithm. None where the verb makes no picture of a new kind: a cut-out takes away only.
    """
    own: Callable[[Verb], DigitalSource | None] | None = getattr(engine, "digital_source", None)
    if own is not None:
        return own(verb)
    if verb is Verb.CUT_OUT:
        return None
    if engine.generative:
        return DigitalSource.TRAINED
    return {
        Verb.PORTRAIT: DigitalSource.ALGORITHMICALLY_ENHANCED,
        Verb.BACKGROUND: DigitalSource.ALGORITHMIC_MEDIA,
    }.get(verb)
