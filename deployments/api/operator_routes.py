"""The routes behind the operator's page: what the service does for all callers, now and live."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from deployments.api.answers import ErrorResponse
from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.event_stream import PING, ServerSentEvents, documented_events
from deployments.api.openapi import problems_of
from deployments.errors import Forbidden, Unavailable
from deployments.tasks.overview import MAKE_SECONDS, Overview
from deployments.tasks.record import Operation, Status, Task

PING_EVERY = 15
"""After so many overviews without news, a comment is sent: it shows that the connection is alive."""


class InFlightResponse(BaseModel):
    """How many of a caller's tasks are in each status."""

    caller: str
    statuses: dict[Status, int]


class EndedResponse(BaseModel):
    """How a task has ended."""

    aige_task_id: str
    caller: str
    operation: Operation
    status: Status
    error: ErrorResponse | None
    engine: str
    at: datetime
    seconds: float = Field(description="From when it was accepted.")

    @classmethod
    def of(cls, task: Task) -> Self:
        accepted, ended = task.timeline[0].at, task.timeline[-1].at
        return cls(
            aige_task_id=task.id,
            caller=task.caller,
            operation=task.operation,
            status=task.status,
            error=ErrorResponse(code=task.error.code, message=task.error.message) if task.error else None,
            engine=task.shown_engine,
            at=ended,
            seconds=(ended - accepted).total_seconds(),
        )


class BilledResponse(BaseModel):
    """What a caller's tasks were billed for a model."""

    caller: str
    model: str
    amount: float = Field(description="In money, by the operator's prices.")


class OverviewResponse(BaseModel):
    """What the service does for all callers."""

    in_flight: list[InFlightResponse] = Field(description="One entry for each caller with tasks that have not ended.")
    ended: list[EndedResponse] = Field(description="The last hundred that have ended, the newest first.")
    billed: list[BilledResponse] = Field(
        description="What the tasks that have ended within 24 hours were billed, the dearest first."
    )
    webhooks_waiting: int = Field(description="Webhooks of ended tasks, neither delivered nor given up.")

    @classmethod
    def of(cls, overview: Overview) -> Self:
        return cls(
            in_flight=[
                InFlightResponse(caller=caller, statuses=dict(statuses))
                for caller, statuses in sorted(overview.in_flight.items())
            ],
            ended=[EndedResponse.of(task) for task in overview.ended],
            billed=[
                BilledResponse(caller=caller, model=model, amount=float(amount))
                for (caller, model), amount in sorted(overview.billed.items(), key=lambda bill: (-bill[1], bill[0]))
            ],
            webhooks_waiting=overview.webhooks_waiting,
        )


DOCUMENTED: dict[int | str, dict[str, Any]] = documented_events(
    "overview", "OverviewResponse", "An event `overview` at once, and when there is news: once a second at most."
)


def operator_routes(
    backend: Backend,
    is_operator: Callable[[str], bool],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> APIRouter:
    """The router of `/operator`, for callers for whom `is_operator` is true."""
    router = APIRouter(prefix="/operator", tags=["service"], responses=problems_of(401, 403, 503))

    async def overview_for(caller: Caller) -> Overview:
        if not is_operator(caller):
            raise Forbidden("This is for operators: name this key under `operators` in serve_config.yaml.")
        return await backend.overview()

    Latest = Annotated[Overview, Depends(overview_for)]  # noqa: N806 - a type

    @router.get("")
    async def operator_overview(overview: Latest) -> OverviewResponse:
        """What the service does for all callers. For operators alone."""
        return OverviewResponse.of(overview)

    @router.get("/events", status_code=200, response_class=ServerSentEvents, responses=DOCUMENTED)
    async def operator_events(overview: Latest) -> Response:
        """The same as a server-sent event `overview`, at once and when there is news."""
        return ServerSentEvents(_told(backend, overview, sleep))

    return router


async def _told(
    backend: Backend, overview: Overview, sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """`overview`, then each newer one. Ends when TaskStatus is away: the client reconnects, and gets the error."""
    yield _event(overview)
    quiet = 0
    while True:
        await sleep(MAKE_SECONDS)
        try:
            newer = await backend.overview()
        except Unavailable:
            return
        quiet = 0 if newer != overview else (quiet + 1) % PING_EVERY
        if newer != overview:
            overview = newer
            yield _event(overview)
        elif quiet == 0:
            yield PING


def _event(overview: Overview) -> bytes:
    return b"event: overview\ndata: %s\n\n" % OverviewResponse.of(overview).model_dump_json().encode()
