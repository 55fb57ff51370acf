"""What is asked for, and how far it has come: the messages that travel between the stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.tasks.record import Charge, Operation


@dataclass(frozen=True)  # no slots here: see `Task`
class AvatarJob:
    """A cut-out of the person in `photos` (1 to 8)."""

    prompt: str
    photos: tuple[Picture, ...]
    ratio: AspectRatio
    write_url: str
    operation: Literal[Operation.AVATAR] = Operation.AVATAR


@dataclass(frozen=True)
class BackgroundJob:
    """An opaque scene."""

    prompt: str
    ratio: AspectRatio
    write_url: str
    operation: Literal[Operation.BACKGROUND] = Operation.BACKGROUND


@dataclass(frozen=True)
class OverlayJob:
    """`person` on `background`; `x`, `y` in pixels of the canvas, `scale` on the person's own pixels."""

    prompt: str
    person: Picture
    background: Picture
    canvas: CanvasSize
    x: float
    y: float
    scale: float
    write_url: str
    operation: Literal[Operation.OVERLAY] = Operation.OVERLAY


Job = Annotated[AvatarJob | BackgroundJob | OverlayJob, Field(discriminator="operation")]
J = TypeVar("J", AvatarJob, BackgroundJob, OverlayJob)


@dataclass(frozen=True)
class Work:
    """A job on its way through the stages: each takes it and gives it on.

    `attempt` counts from 1 and is set when the work is dispatched; `done` counts the steps of the operation that are
    behind it. `picture` is the newest picture (None before the first stage); `opaque` says whether it has no
    transparency. `receipts` are the request ids, by stage, of what earlier attempts have submitted to a provider.
    """

    task_id: str
    job: Job
    attempt: int = 0
    done: int = 0
    picture: Picture | None = None
    opaque: bool = True
    notes: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    receipts: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of the pictures that travel with it."""
        photos = self.job.photos if isinstance(self.job, AvatarJob) else ()
        return sum(len(picture.data) for picture in (self.picture, *photos) if picture and picture.data)

    def carrying(self, picture: Picture, *, opaque: bool) -> Self:
        """The same work with a newer picture."""
        return replace(self, picture=picture, opaque=opaque)

    def noting(self, notes: tuple[str, ...], *charges: Charge) -> Self:
        """The same work with `notes` and `charges` added."""
        return replace(self, notes=(*self.notes, *notes), charges=(*self.charges, *charges))

    def without_photos(self) -> Self:
        """The same work without the inline photos, which nobody needs after the first stage."""
        return replace(self, job=replace(self.job, photos=())) if isinstance(self.job, AvatarJob) else self

    def delivered(self) -> Self:
        """The same work without its picture, which is where it was wanted."""
        return replace(self, picture=None)

    def job_of(self, kind: type[J]) -> J:
        """The job, which must be of `kind`: the table of operations sees to it."""
        if not isinstance(self.job, kind):
            raise TypeError(f"this stage works on {kind.__name__}, not on {type(self.job).__name__}")
        return self.job

    def needed_picture(self) -> Picture:
        """The picture that an earlier stage made."""
        if self.picture is None:
            raise ValueError("no earlier stage made a picture")
        return self.picture
