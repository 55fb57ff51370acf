"""The routes for load balancers and orchestrators. They need no API key, and lie outside `/api/v1`."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from deployments.api.backend import Backend
from deployments.api.openapi import problems_of


class HealthResponse(BaseModel):
    """All is well; what is not is a problem document."""

    status: Literal["ok", "ready"]


def health_routes(backend: Backend) -> APIRouter:
    """The router of `/healthz` and `/readyz`."""
    router = APIRouter(tags=["service"])

    @router.get("/healthz")
    async def healthz() -> HealthResponse:
        """200 if this process serves; otherwise there is no answer."""
        return HealthResponse(status="ok")

    @router.get("/readyz", responses=problems_of(503))
    async def readyz() -> HealthResponse:
        """Whether tasks can be accepted: the task status actor answers, and its journal took a write lately."""
        await backend.check_ready()
        return HealthResponse(status="ready")

    return router
