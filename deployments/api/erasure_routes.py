"""The route that erases what is kept about an avatar."""

from typing import Annotated

from fastapi import APIRouter, Path

from deployments.api.answers import ErasureResponse
from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.openapi import problems_of


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
