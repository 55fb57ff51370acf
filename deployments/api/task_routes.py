"""The routes that ask about a task."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import AfterValidator

from deployments.api.answers import StatusResponse, TaskResponse
from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.event_stream import DOCUMENTED, EventStream, final_id
from deployments.api.openapi import problems_of
from deployments.errors import no_such_task
from deployments.tasks.record import Task

TASK_ID = "[0-9a-fA-F-]{36}"
"""What looks like a task's id. Of other text, nobody is asked: PostgreSQL, for one, refuses a NUL."""
TaskId = Annotated[str, Path(description="In either case."), AfterValidator(str.lower)]
LastEventId = Annotated[
    str | None, Header(description="The id of the last event that was seen; with that of the final event, 204.")
]


def task_routes(backend: Backend) -> APIRouter:
    """The router of `/task`."""
    router = APIRouter(tags=["tasks"], responses=problems_of(401, 404, 503))

    async def task_in_path(aige_task_id: TaskId, caller: Caller) -> Task:
        """The task, if it is the caller's own: whoever finds its id by chance learns nothing."""
        task = await backend.get(aige_task_id) if re.fullmatch(TASK_ID, aige_task_id) else None
        if task is None or task.caller != caller:
            raise no_such_task()
        return task

    TaskInPath = Annotated[Task, Depends(task_in_path)]  # noqa: N806 - a type

    @router.get("/task/{aige_task_id}/status")
    async def task_status(task: TaskInPath) -> StatusResponse:
        """Where the task stands."""
        return StatusResponse(aige_task_id=task.id, status=task.status)

    @router.get("/task/{aige_task_id}")
    async def whole_task(task: TaskInPath) -> TaskResponse:
        """The whole task."""
        return TaskResponse.of(task)

    @router.delete("/task/{aige_task_id}", status_code=202, responses=problems_of(409))
    async def cancel_task(task: TaskInPath) -> TaskResponse:
        """Cancel the task: it ends as `error` with the code `cancelled`, and so does the provider's request."""
        return TaskResponse.of(await backend.cancel(task.id))

    @router.post("/task/{aige_task_id}/webhook", status_code=202, responses=problems_of(409))
    async def send_webhook_again(task: TaskInPath) -> TaskResponse:
        """Send the ended task's webhook again: now, and by its schedule where that fails."""
        return TaskResponse.of(await backend.send_webhook_again(task.id))

    @router.get("/task/{aige_task_id}/events", status_code=200, response_class=EventStream, responses=DOCUMENTED)
    async def task_events(task: TaskInPath, last_event_id: LastEventId = None) -> Response:
        """The whole task as a server-sent event `status`, at once and at changes, until it has ended."""
        if last_event_id is not None and last_event_id == final_id(task):
            return Response(status_code=204)
        return EventStream(backend.watch(task))

    return router
