"""The three routes that start a task. They answer as soon as it is safely accepted; its work goes on afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders

from deployments.api.admission import Admission
from deployments.api.answers import Accepted
from deployments.api.auth import caller_of
from deployments.api.backend import Backend
from deployments.api.caller_limits import rate_before
from deployments.api.idempotency import REPLAYED, IdempotencyKey, binding_of
from deployments.api.json_body import JsonRoute
from deployments.api.models import AvatarRequest, BackgroundRequest, OverlayRequest
from deployments.api.openapi import problems_of
from deployments.api.overload import Gate
from deployments.api.problems import RATE_LIMIT, RATE_LIMIT_POLICY, rate_fields
from deployments.errors import InvalidRequest, Rate, Unavailable
from deployments.tasks.record import Task
from deployments.tasks.work import Work

AvatarIdInPath = Annotated[str, Path(description="Must match the avatar_id in the body.")]

_ACCEPTED: dict[str, Any] = {
    "headers": {
        RATE_LIMIT_POLICY: {
            "description": "How many tasks the caller may start within a minute; only if it has such a limit.",
            "schema": {"type": "string"},
        },
        RATE_LIMIT: {
            "description": "How many it may still start within the next `t` seconds.",
            "schema": {"type": "string"},
        },
        REPLAYED: {
            "description": "`true` where an earlier request with the same Idempotency-Key has started the task.",
            "schema": {"type": "string", "const": "true"},
        },
    }
}


@dataclass(frozen=True)
class _Sender:
    """Who sends a request: its caller, with where that stands; its idempotency key; and the headers of its answer."""

    caller: str
    rate: Rate | None
    key: str | None
    headers: MutableHeaders


async def _sender(request: Request, answer: Response, key: IdempotencyKey = None) -> _Sender:
    return _Sender(caller_of(request.scope), rate_before(request.scope), key, answer.headers)


Sender = Annotated[_Sender, Depends(_sender)]


def submission_routes(admission: Admission, backend: Backend, gate: Gate) -> APIRouter:
    """The router of `/avatar`; `gate` is closed for a moment when the service is full."""
    router = APIRouter(
        prefix="/avatar", tags=["tasks"], responses=problems_of(400, 401, 409, 413, 429, 503), route_class=JsonRoute
    )

    async def submit(sender: _Sender, route: str, body: BaseModel, admit: Callable[[], tuple[Task, Work]]) -> Accepted:
        # First: a repeated request gives its task, even where its writeUrl has expired since.
        binding = binding_of(sender.key, route, sender.caller, body)
        task = await backend.bound(binding) if binding else None
        rate, is_new = sender.rate, False
        if task is None:
            new, work = admit()
            try:
                task, rate = await backend.submit(new, work, binding)
            except Unavailable as error:
                if error.short_of != "pictures":  # others may still come with URLs
                    gate.close(error.short_of)
                raise
            is_new = task.id == new.id
        if not is_new:
            sender.headers[REPLAYED] = "true"
        sender.headers.update(rate_fields(rate))
        return Accepted(aige_task_id=task.id, avatar_id=task.avatar_id)

    @router.post("", status_code=201, responses={201: _ACCEPTED})
    async def generate_avatar(body: AvatarRequest, sender: Sender) -> Accepted:
        """Make a cut-out avatar of the person in the photos; the work goes on after this answer."""
        return await submit(sender, "avatar", body, lambda: admission.avatar(body, sender.caller))

    @router.put("/{avatar_id}/background", responses={200: _ACCEPTED})
    async def generate_background(avatar_id: AvatarIdInPath, body: BackgroundRequest, sender: Sender) -> Accepted:
        """Make a background from the prompt; the work goes on after this answer."""
        _check_same(avatar_id, body.avatar_id)
        return await submit(sender, "background", body, lambda: admission.background(body, sender.caller))

    @router.put("/{avatar_id}/overlay", responses={200: _ACCEPTED})
    async def generate_overlay(avatar_id: AvatarIdInPath, body: OverlayRequest, sender: Sender) -> Accepted:
        """Put a person on a background, exactly where asked; the work goes on after this answer."""
        _check_same(avatar_id, body.avatar_id)
        return await submit(sender, "overlay", body, lambda: admission.overlay(body, sender.caller))

    return router


def _check_same(in_path: str, in_body: str) -> None:
    if in_path != in_body:
        raise InvalidRequest("The avatar_id in the path and the one in the body differ.", ("body", "avatar_id"))
