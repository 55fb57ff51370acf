"""The whole product in one table: each operation's steps, in order."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from deployments.tasks.record import Operation, Status
from deployments.tasks.work import Work


class StepId(StrEnum):
    """What a step is called in the journal, in receipts, charges and metrics. A value never changes, nor is it reused:
    journals outlive the code that wrote them.
    """

    GENERATE_AVATAR = "generate_avatar"
    GENERATE_BACKGROUND = "generate_background"
    OPEN_PERSON = "open_person"
    REMOVE_BACKGROUND = "remove_background"
    OVERLAY = "overlay"
    UPLOAD = "upload"


def always(_: Work) -> bool:
    return True


def if_opaque(work: Work) -> bool:
    """The person image has no transparency, so the person is still to be cut out."""
    return work.opaque


class Step(NamedTuple):
    """`stage`, the name of a deployment, does the step if `when` says so; `status` is shown meanwhile."""

    id: StepId
    stage: str
    status: Status
    when: Callable[[Work], bool] = always


OPERATIONS: dict[Operation, tuple[Step, ...]] = {
    Operation.AVATAR: (
        Step(StepId.GENERATE_AVATAR, "AvatarGenerator", Status.PROCESSING_AVATAR_MODEL),
        Step(StepId.REMOVE_BACKGROUND, "BackgroundRemover", Status.PROCESSING_BACKGROUND_REMOVAL),
        Step(StepId.UPLOAD, "Uploader", Status.UPLOADING_IMAGE),
    ),
    Operation.BACKGROUND: (
        # The documented list has no status of a background's own: this one says that the image model is running.
        Step(StepId.GENERATE_BACKGROUND, "BackgroundGenerator", Status.PROCESSING_AVATAR_MODEL),
        Step(StepId.UPLOAD, "Uploader", Status.UPLOADING_IMAGE),
    ),
    Operation.OVERLAY: (
        # Whether the person must be cut out is known only once the picture is here, so opening it has no status.
        Step(StepId.OPEN_PERSON, "Overlayer", Status.PENDING),
        Step(StepId.REMOVE_BACKGROUND, "BackgroundRemover", Status.PROCESSING_BACKGROUND_REMOVAL, when=if_opaque),
        Step(StepId.OVERLAY, "Overlayer", Status.PROCESSING_OVERLAY),
        Step(StepId.UPLOAD, "Uploader", Status.UPLOADING_IMAGE),
    ),
}

STAGE_OF: dict[str, str] = {step.id: step.stage for steps in OPERATIONS.values() for step in steps}
"""The deployment that does a step, by the step's id."""


def steps_left(work: Work) -> list[Step]:
    """The steps of the work's operation that are not done, in order. Whether each runs, its `when` says at its turn."""
    return [step for step in OPERATIONS[work.job.operation] if step.id not in work.done]


def unknown_steps(operation: Operation, ids: set[str]) -> set[str]:
    """Those of `ids` that no step of the operation has: they come from the journal of another version."""
    return ids - {step.id for step in OPERATIONS[operation]}
