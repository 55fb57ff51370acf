"""What an engine is: the four verbs that make pixels, and what it is given to make them with.

Placing a person on a background is not among them: that is ours and exact (`deployments.media.images.compose`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine is constructed with: `Engine(context)`.

    `egress` is the only way out to URLs that come from a request; `limits` caps what may be decoded; `options` is
    `engine_options` of the configuration, as it stands there.
    """

    egress: Egress
    limits: PictureLimits
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """What a verb returns: the picture, and what its caller should know about it, one plain sentence each."""

    picture: Picture
    notes: tuple[str, ...] = ()


@runtime_checkable
class Engine(Protocol):
    """Makes pixels. Every verb may raise any `TaskFailed`; anything else that it raises ends the task as `internal`.

    The verbs run on an event loop: work that takes more than a few milliseconds of CPU belongs in a thread.
    """

    name: str
    """Shown as `engine` in tasks and in `GET /service`."""

    generative: bool
    """Whether a generative model makes the pictures."""

    blends: bool
    """Whether `blend` changes an exact composite; where false, it is never called."""

    def __init__(self, context: EngineContext) -> None: ...

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio) -> Made:
        """A portrait of the person in `photos` (1 to 8), about `ratio` in shape, opaque or not."""
        ...

    async def background(self, prompt: str, ratio: AspectRatio) -> Made:
        """An opaque scene, about `ratio` in shape."""
        ...

    async def cut_out(self, picture: Picture) -> Made:
        """The person in `picture`, everything else transparent, same size; a picture with transparency stays as it is.

        Raises:
            NoPersonFound: no person is in it.
        """
        ...

    async def blend(self, prompt: str, composite: Picture) -> Made:
        """`composite` with light and shadow that bind the person to the background, everything in its place."""
        ...
