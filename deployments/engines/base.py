"""What an engine is: the four verbs that make pixels, and what it is given to make them with.

Placing a person on a background is not among them: that is ours and exact (`deployments.media.compose.compose`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
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

    `egress` is the only way out to URLs that come from a request; `limits` caps what may be decoded; `options` are the
    engine's own, as they stand in the configuration; `options_at` is where, for messages; `environment` has the keys.
    """

    egress: "Egress"
    limits: PictureLimits
    options: Mapping[str, object] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    options_at: str = "engine_options"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider charges: `units` as it bills `model`; None where it does not say."""

    model: str
    units: float | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a verb returns: the picture, what its caller should know (one plain sentence each), and what was charged.

    `model` is the model that made it, where it has a name; where something was charged, `cost` names it too.
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
    """One verb's one call to a provider that charges for it: made at most once, whatever dies meanwhile."""

    receipt: str | None
    """The request id of an earlier attempt, if there is one; lets an engine skip preparing its inputs."""

    key: str
    """A UUID that is the same in every attempt, for providers that take a key of the caller's."""

    claimed_at: datetime | None
    """When the submit was claimed whose answer may be lost: this attempt's, or else an earlier one's."""

    async def submit(self, send: Callable[[], Awaitable[str]]) -> str:
        """The provider's request id: from `send`, or, if an earlier attempt has already submitted, that attempt's.

        That a submit is about to be sent, and the id that it gave, are both on record before anything else happens;
        a cancellation does not tear the two apart. `send` sends exactly one request, and raises `TaskFailed` only if
        the provider certainly did not take it: then `submit` may be called again. Any other exception means that
        nobody knows.

        Raises:
            EngineOutcomeUnknown: a submit was sent, by this attempt or an earlier one, and its answer was never seen.
        """
        ...

    async def found(self, receipt: str) -> None:
        """Records the request id of a submit of unknown outcome, which the provider was asked for."""
        ...

    def report(self, progress: str) -> None:
        """Where the provider says that it stands, one short sentence, shown while the verb runs; repeats are fine."""
        ...

    async def is_wanted(self) -> bool:
        """Whether anybody waits for the result: not once the task is out of time or has ended otherwise, but still if
        only its attempt was lost.
        """
        ...


class Known(Protocol):
    """What earlier attempts at a step have left of one engine's paid call."""

    @property
    def receipt(self) -> str | None: ...

    @property
    def passed(self) -> str | None:
        """Why the engine was passed over, if it was: a clause."""
        ...


class PaidCalls(Protocol):
    """The paid calls of one attempt at one step: one for each engine, named as in `serve_config.yaml`."""

    @property
    def known(self) -> Mapping[str, Known]:
        """What earlier attempts have left, by engine."""
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
    could not work with these options and keys; `lacks(verb, options)` says, in a clause, why it cannot do a verb, and
    None where it can. Either keeps the service from starting.

    The verbs run on an event loop: work that takes more than a few milliseconds of CPU belongs in a thread. An engine
    that pays for what it makes submits through `call`; a cancelled verb cancels the provider's request too, unless it
    `is_wanted`: the next attempt will wait for it.
    """

    name: ClassVar[str]
    """Shown as `engine` in tasks and in `GET /service`."""

    generative: ClassVar[bool]
    """Whether a generative model makes the pictures."""

    @property
    def blends(self) -> bool:
        """Whether `blend` changes an exact composite; where false, it is never called."""
        ...

    def __init__(self, context: EngineContext) -> None: ...

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall, /) -> Made:
        """A portrait of the person in `photos` (1 to 8), about `ratio` in shape, opaque or not."""
        ...

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall, /) -> Made:
        """An opaque scene, about `ratio` in shape."""
        ...

    async def cut_out(self, picture: Picture, call: PaidCall, /) -> Made:
        """The person in `picture`, everything else transparent, same size; a picture with transparency stays as it is.

        Raises:
            NoPersonFound: no person is in it.
        """
        ...

    async def blend(self, prompt: str, composite: Picture, call: PaidCall, /) -> Made:
        """`composite` with light and shadow that bind the person to the background, everything in its place."""
        ...
