"""The whole product in one table: each operation's stages, in order, with the status shown while each runs."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from deployments.tasks.record import Operation, Status
from deployments.tasks.work import Work


class Stage(StrEnum):
    """The verbs that deployments offer to the pipeline."""

    GENERATE_AVATAR = "AvatarGenerator.run"
    GENERATE_BACKGROUND = "BackgroundGenerator.run"
    OPEN_PERSON = "Overlayer.open_person"
    REMOVE_BACKGROUND = "BackgroundRemover.run"
    OVERLAY = "Overlayer.run"
    UPLOAD = "Uploader.run"


def always(_: Work) -> bool:
    return True


def if_opaque(work: Work) -> bool:
    """The person image has no transparency, so the person is still to be cut out."""
    return work.opaque


class Step(NamedTuple):
    """`stage` runs if `when` says so, and `status` is shown meanwhile."""

    stage: Stage
    status: Status
    when: Callable[[Work], bool] = always


OPERATIONS: dict[Operation, tuple[Step, ...]] = {
    Operation.AVATAR: (
        Step(Stage.GENERATE_AVATAR, Status.PROCESSING_AVATAR_MODEL),
        Step(Stage.REMOVE_BACKGROUND, Status.PROCESSING_BACKGROUND_REMOVAL),
        Step(Stage.UPLOAD, Status.UPLOADING_IMAGE),
    ),
    Operation.BACKGROUND: (
        # The documented list has no status of a background's own: this one says that the image model is running.
        Step(Stage.GENERATE_BACKGROUND, Status.PROCESSING_AVATAR_MODEL),
        Step(Stage.UPLOAD, Status.UPLOADING_IMAGE),
    ),
    Operation.OVERLAY: (
        # Whether the person must be cut out is known only once the picture is here, so opening it has no status.
        Step(Stage.OPEN_PERSON, Status.PENDING),
        Step(Stage.REMOVE_BACKGROUND, Status.PROCESSING_BACKGROUND_REMOVAL, when=if_opaque),
        Step(Stage.OVERLAY, Status.PROCESSING_OVERLAY),
        Step(Stage.UPLOAD, Status.UPLOADING_IMAGE),
    ),
}
