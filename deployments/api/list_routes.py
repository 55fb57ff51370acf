"""The list of a caller's tasks: filters, and pages that a cursor leads through."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from deployments.api.answers import TaskListResponse, TaskResponse
from deployments.api.auth import Caller
from deployments.api.backend import Backend
from deployments.api.models import AvatarId
from deployments.api.openapi import problems_of
from deployments.errors import InvalidRequest
from deployments.tasks.record import Operation, Status
from deployments.tasks.task_index import Place, Wanted, place_of

DEFAULT_LIMIT = 20
MOST_LIMIT = 100
MOST_VALUES = 50
"""Of one filter in a request."""
MOST_CURSOR = 500
"""Characters."""

_DOCUMENTED: dict[str, Any] = {
    "headers": {
        "Link": {
            "description": 'The next page, as `<URL>; rel="next"` (RFC 8288), where there is one. The URL is absolute '
            "where the server's `public_url` is set.",
            "schema": {"type": "string"},
        }
    }
}

_MAY_BE_REPEATED = "May be repeated: any of these."


class _Query(BaseModel):
    """Which tasks, and which page of them."""

    status: list[Status] = Field(default=[], max_length=MOST_VALUES, description=_MAY_BE_REPEATED)
    operation: list[Operation] = Field(default=[], max_length=MOST_VALUES, description=_MAY_BE_REPEATED)
    avatar_id: list[AvatarId] = Field(default=[], max_length=MOST_VALUES, description=_MAY_BE_REPEATED)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MOST_LIMIT, description="How many tasks a page has at most.")
    cursor: str | None = Field(
        default=None, max_length=MOST_CURSOR, description="`next` of the page before; send it with the same filters."
    )


def list_routes(backend: Backend, public_url: str | None, path: str) -> APIRouter:
    """The router of `/tasks`, which lies at `path`; where `public_url` is set, clients reach this server there."""
    router = APIRouter(tags=["tasks"], responses=problems_of(400, 401, 503))

    @router.get("/tasks", responses={200: _DOCUMENTED})
    async def list_tasks(answer: Response, caller: Caller, query: Annotated[_Query, Query()]) -> TaskListResponse:
        """The caller's tasks, the newest first."""
        filters = frozenset(query.status), frozenset(query.operation), frozenset(query.avatar_id)
        wanted = Wanted(caller, *filters)
        page = await backend.page(wanted, _place_in(query.cursor, wanted) if query.cursor else None, query.limit)
        following = _cursor_to(place_of(page.tasks[-1]), wanted) if page.has_more else None
        if following is not None:
            parameters = urlencode({**query.model_dump(), "cursor": following}, doseq=True)
            answer.headers["Link"] = f'<{public_url or ""}{path}/tasks?{parameters}>; rel="next"'
        return TaskListResponse(tasks=[TaskResponse.of(task) for task in page.tasks], next=following)

    return router


class _Bookmark(NamedTuple):
    """What a cursor holds: the place of the last task of its page, and a digest of the filters that it goes with."""

    at: AwareDatetime
    task_id: str
    filters: str


_BOOKMARK = TypeAdapter(_Bookmark)


def _cursor_to(place: Place, wanted: Wanted) -> str:
    return urlsafe_b64encode(_BOOKMARK.dump_json(_Bookmark(*place, _digest(wanted)))).decode().rstrip("=")


def _place_in(cursor: str, wanted: Wanted) -> Place:
    """The place that the cursor leads to.

    Raises:
        InvalidRequest: it is none of ours, or goes with other filters.
    """
    try:
        at, task_id, filters = _BOOKMARK.validate_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise InvalidRequest(
            "The cursor is not one that this server gave; begin without one.", ("query", "cursor")
        ) from None
    if filters != _digest(wanted):
        raise InvalidRequest("The cursor goes with other filters; send those that it came from.", ("query", "cursor"))
    return (at, task_id)


def _digest(wanted: Wanted) -> str:
    filters = (sorted(wanted.statuses), sorted(wanted.operations), sorted(wanted.avatar_ids))
    return hashlib.sha256(repr(filters).encode()).hexdigest()[:16]
