"""The three routes that start a task. They answer as soon as it is safely accepted; its work goes on afterwards."""

from typing import Annotated

from fastapi import APIRouter, Path

from deployments.api.admission import Admission
from deployments.api.backend import Backend
from deployments.api.models import Accepted, AvatarRequest, BackgroundRequest, OverlayRequest, Problem
from deployments.tasks.record import Task
from deployments.tasks.work import Work

AvatarIdInPath = Annotated[str, Path(description="Must match the avatar_id in the body.")]


def submission_routes(admission: Admission, backend: Backend) -> APIRouter:
    """The router of `/avatar`."""
    router = APIRouter(prefix="/avatar", tags=["tasks"], responses={413: {"model": Problem}})

    async def accept(admitted: tuple[Task, Work]) -> Accepted:
        task = await backend.accept(*admitted)
        return Accepted(aige_task_id=task.id, avatar_id=task.avatar_id)

    @router.post("", status_code=201)
    async def generate_avatar(body: AvatarRequest) -> Accepted:
        """Make a cut-out avatar of the person in the photos; the work goes on after this answer."""
        return await accept(admission.avatar(body))

    @router.put("/{avatar_id}/background")
    async def generate_background(avatar_id: AvatarIdInPath, body: BackgroundRequest) -> Accepted:
        """Make a background from the prompt; the work goes on after this answer."""
        return await accept(admission.background(avatar_id, body))

    @router.put("/{avatar_id}/overlay")
    async def generate_overlay(avatar_id: AvatarIdInPath, body: OverlayRequest) -> Accepted:
        """Put a person on a background, exactly where asked; the work goes on after this answer."""
        return await accept(admission.overlay(avatar_id, body))

    return router
