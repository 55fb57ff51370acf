"""The three routes that start a task. They answer as soon as it is safely accepted; its work goes on afterwards."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path

from deployments.api.admission import Admission
from deployments.api.backend import Backend
from deployments.api.idempotency import Authorization, IdempotencyKey, binding_of
from deployments.api.json_body import JsonRoute
from deployments.api.models import Accepted, AvatarRequest, BackgroundRequest, OverlayRequest
from deployments.api.openapi import problems_of
from deployments.api.overload import Gate
from deployments.errors import Unavailable
from deployments.tasks.entry import Binding
from deployments.tasks.record import Task
from deployments.tasks.work import Work

AvatarIdInPath = Annotated[str, Path(description="Must match the avatar_id in the body.")]


def submission_routes(admission: Admission, backend: Backend, gate: Gate) -> APIRouter:
    """The router of `/avatar`; `gate` is closed for a moment when the service is full."""
    router = APIRouter(
        prefix="/avatar", tags=["tasks"], responses=problems_of(400, 401, 409, 413, 503), route_class=JsonRoute
    )

    async def submit(binding: Binding | None, admit: Callable[[], tuple[Task, Work]]) -> Accepted:
        # First: a repeated request gives its task, even where its writeUrl has expired since.
        task = await backend.bound(binding) if binding else None
        if task is None:
            try:
                task = await backend.submit(*admit(), binding)
            except Unavailable:
                gate.close()
                raise
        return Accepted(aige_task_id=task.id, avatar_id=task.avatar_id)

    @router.post("", status_code=201)
    async def generate_avatar(
        body: AvatarRequest, key: IdempotencyKey = None, authorization: Authorization = None
    ) -> Accepted:
        """Make a cut-out avatar of the person in the photos; the work goes on after this answer."""
        return await submit(binding_of(key, "avatar", authorization, body), lambda: admission.avatar(body))

    @router.put("/{avatar_id}/background")
    async def generate_background(
        avatar_id: AvatarIdInPath,
        body: BackgroundRequest,
        key: IdempotencyKey = None,
        authorization: Authorization = None,
    ) -> Accepted:
        """Make a background from the prompt; the work goes on after this answer."""
        return await submit(
            binding_of(key, "background", authorization, body), lambda: admission.background(avatar_id, body)
        )

    @router.put("/{avatar_id}/overlay")
    async def generate_overlay(
        avatar_id: AvatarIdInPath,
        body: OverlayRequest,
        key: IdempotencyKey = None,
        authorization: Authorization = None,
    ) -> Accepted:
        """Put a person on a background, exactly where asked; the work goes on after this answer."""
        return await submit(binding_of(key, "overlay", authorization, body), lambda: admission.overlay(avatar_id, body))

    return router
