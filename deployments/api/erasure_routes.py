"""The route that erases what is kept about an avatar."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel

from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.openapi import problems_of
from deployments.tasks.erasure import ErasureReport


class ProviderErasureResponse(BaseModel):
    """Whether a provider has deleted what it keeps of a request; false where it has no way to do so."""

    engine: str
    request: str
    deleted: bool


class ErasureResponse(BaseModel):
    """How many tasks, and how many objects of the built-in store, were erased. A bucket of your own is untouched."""

    avatar_id: str
    tasks: int
    objects: int
    provider: list[ProviderErasureResponse]

    @classmethod
    def of(cls, avatar_id: str, report: ErasureReport) -> Self:
        provider = [
            ProviderErasureResponse(engine=request.engine, request=request.receipt, deleted=deleted)
            for request, deleted in report.requests
        ]
        return cls(avatar_id=avatar_id, tasks=report.tasks, objects=report.objects, provider=provider)


def erasure_routes(backend: Backend) -> APIRouter:
    """The router of `DELETE /avatar/{avatar_id}`."""
    router = APIRouter(prefix="/avatar", tags=["tasks"], responses=problems_of(401, 404, 503))

    @router.delete("/{avatar_id}")
    async def erase_avatar(
        avatar_id: Annotated[str, Path(description="Whose tasks, pictures and keys are erased.")], caller: Caller
    ) -> ErasureResponse:
        """Erase the avatar: its tasks, their pictures in the built-in store, and what providers keep of them.

        Running tasks are cancelled. The tasks whose results it was made of are erased too. A provider without a way to
        delete is told in the answer.
        """
        return ErasureResponse.of(avatar_id, await backend.erase(caller, avatar_id))

    return router
