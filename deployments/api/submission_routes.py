"""The three routes that start a task. They answer as soon as it is safely accepted; its work goes on afterwards."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from deployments.api.admission import Admission
from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.idempotency import REPLAYED, IdempotencyKey, binding_of
from deployments.api.json_body import JsonRoute
from deployments.api.models import Accepted, AvatarRequest, BackgroundRequest, OverlayRequest
from deployments.api.openapi import problems_of
from deployments.api.overload import Gate
from deployments.errors import InvalidRequest, Unavailable
from deployments.tasks.entry import Binding
from deployments.tasks.record import Task
from deployments.tasks.work import Work

AvatarIdInPath = Annotated[str, Path(description="Must match the avatar_id in the body.")]

_ACCEPTED: dict[str, Any] = {
    "headers": {
        REPLAYED: {
            "description": "`true` where an earlier request with the same Idempotency-Key has started the task.",
            "schema": {"type": "string", "const": "true"},
        }
    }
}


def submission_routes(admission: Admission, backend: Backend, gate: Gate) -> APIRouter:
    """The router of `/avatar`; `gate` is closed for a moment when the service is full."""
    router = APIRouter(
        prefix="/avatar", tags=["tasks"], responses=problems_of(400, 401, 409, 413, 503), route_class=JsonRoute
    )

    async def submit(answer: Response, binding: Binding | None, admit: Callable[[], tuple[Task, Work]]) -> Accepted:
        # First: a repeated request gives its task, even where its writeUrl has expired since.
        task = await backend.bound(binding) if binding else None
        is_new = False
        if task is None:
            new, work = admit()
            try:
                task = await backend.submit(new, work, binding)
            except Unavailable as error:
                gate.close(error.short_of)
                raise
            is_new = task.id == new.id
        if not is_new:
            answer.headers[REPLAYED] = "true"
        return Accepted(aige_task_id=task.id, avatar_id=task.avatar_id)

    @router.post("", status_code=201, responses={201: _ACCEPTED})
    async def generate_avatar(
        body: AvatarRequest, answer: Response, caller: Caller, key: IdempotencyKey = None
    ) -> Accepted:
        """Make a cut-out avatar of the person in the photos; the work goes on after this answer."""
        return await submit(answer, binding_of(key, "avatar", caller, body), lambda: admission.avatar(body, caller))

    @router.put("/{avatar_id}/background", responses={200: _ACCEPTED})
    async def generate_background(
        avatar_id: AvatarIdInPath,
        body: BackgroundRequest,
        answer: Response,
        caller: Caller,
        key: IdempotencyKey = None,
    ) -> Accepted:
        """Make a background from the prompt; the work goes on after this answer."""
        _check_same(avatar_id, body.avatar_id)
        binding = binding_of(key, "background", caller, body)
        return await submit(answer, binding, lambda: admission.background(body, caller))

    @router.put("/{avatar_id}/overlay", responses={200: _ACCEPTED})
    async def generate_overlay(
        avatar_id: AvatarIdInPath,
        body: OverlayRequest,
        answer: Response,
        caller: Caller,
        key: IdempotencyKey = None,
    ) -> Accepted:
        """Put a person on a background, exactly where asked; the work goes on after this answer."""
        _check_same(avatar_id, body.avatar_id)
        binding = binding_of(key, "overlay", caller, body)
        return await submit(answer, binding, lambda: admission.overlay(body, caller))

    return router


def _check_same(in_path: str, in_body: str) -> None:
    if in_path != in_body:
        raise InvalidRequest("The avatar_id in the path and the one in the body differ.", ("body", "avatar_id"))
