"""What is asked for, and how far it has come: what the stages are sent, and what they answer."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field

from deployments.media.compose import Placement
from deployments.media.picture import Picture
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.sources import DigitalSource
from deployments.media.sizes import AspectRatio, CanvasSize, Size
from deployments.spans import StepTrace
from deployments.tasks.entry import Submits
from deployments.tasks.record import Charge, Failure, Maker, Operation
from deployments.tasks.replaced import replaced
from deployments.tasks.storable import storable
from deployments.tasks.traces import NO_TRACES, Traces


@dataclass(frozen=True)  # no slots here: see `Task`
class AvatarJob:
    """A cut-out of the person in `photos` (1 to 8)."""

    prompt: str
    photos: tuple[Picture, ...]
    ratio: AspectRatio
    write_url: str
    operation: Literal[Operation.AVATAR] = Operation.AVATAR
    read_url: str | None = None


@dataclass(frozen=True)
class BackgroundJob:
    """An opaque scene."""

    prompt: str
    ratio: AspectRatio
    write_url: str
    operation: Literal[Operation.BACKGROUND] = Operation.BACKGROUND
    read_url: str | None = None


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
    read_url: str | None = None

    @property
    def placement(self) -> Placement:
        return Placement(self.x, self.y, self.scale)


Job = Annotated[AvatarJob | BackgroundJob | OverlayJob, Field(discriminator="operation")]
J = TypeVar("J", AvatarJob, BackgroundJob, OverlayJob)


@dataclass(frozen=True)
class Work:
    """A job, and what its finished steps have made of it. The journal keeps it: a checkpoint.

    `done` are the ids of the steps behind it, those not needed included. `picture` is the newest picture (None
    before the first step); `opaque` says whether it has no transparency; `person_size` is that of the picture which an
    overlay names as its person. `webhook_url` is to be told of the task's end; `traces` are for its
    erasure. `sources` are the kinds of picture that its engines made, `ingredients` the pictures that the result was
    made of.
    """

    task_id: str
    job: Job
    done: frozenset[str] = frozenset()
    picture: Picture | None = None
    opaque: bool = True
    person_size: Size | None = None
    notes: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    made_by: tuple[Maker, ...] = ()
    webhook_url: str | None = None
    traces: Traces = NO_TRACES
    sources: tuple[DigitalSource, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the pictures and manifests that travel with it."""
        photos = self.job.photos if isinstance(self.job, AvatarJob) else ()
        pictures = sum(len(picture.data) for picture in (self.picture, *photos) if picture and picture.data)
        return pictures + sum(len(ingredient.archive or b"") for ingredient in self.ingredients)

    def carrying(self, picture: Picture, *, opaque: bool) -> Self:
        """The same work with a newer picture."""
        return replaced(self, picture=picture, opaque=opaque)

    def measured(self, person_size: Size) -> Self:
        """The same work, which knows the size of the person's own picture."""
        return replaced(self, person_size=person_size)

    def noting(self, notes: tuple[str, ...], *charges: Charge) -> Self:
        """The same work with `notes` and `charges` added."""
        return replaced(self, notes=(*self.notes, *map(storable, notes)), charges=(*self.charges, *charges))

    def made(self, maker: Maker, source: DigitalSource | None = None) -> Self:
        """The same work, which knows who made its newest picture, and of which kind that is."""
        sources = self.sources if source is None else (*self.sources, source)
        return replaced(self, made_by=(*self.made_by, maker), sources=sources)

    def made_of(self, *ingredients: Ingredient) -> Self:
        """The same work, which knows more of the pictures that it was made of."""
        return replaced(self, ingredients=(*self.ingredients, *ingredients))

    def without_photos(self) -> Self:
        """The same work without the inline photos, which nobody needs after the first stage."""
        return replaced(self, job=replaced(self.job, photos=())) if isinstance(self.job, AvatarJob) else self

    def past(self, *steps: str) -> Self:
        """The same work with these steps behind it: done, or found not to be needed."""
        return replaced(self, done=self.done.union(steps))

    def without_pictures(self) -> Self:
        """The same work without the bytes that travel with it: enough to tell which step is next."""
        return replaced(self.without_photos(), picture=None, ingredients=())

    def delivered(self) -> Self:
        """The same work without its picture, which is where it was wanted."""
        return replaced(self, picture=None, ingredients=())

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


@dataclass(frozen=True)
class StepRequest:
    """What a stage is sent: one attempt, counted from 1, at one step of a task.

    `paid` is what earlier attempts at this step have submitted, by engine; `trace` is None where it is not traced.
    """

    work: Work
    step: str
    attempt: int
    paid: Submits = field(default_factory=dict)
    trace: StepTrace | None = None

    @property
    def task_id(self) -> str:
        return self.work.task_id


Outcome = Work | Failure
"""What a stage answers: the work with what the step has made, or why the task ends."""
