"""The Python client: `Client` for plain code, `AsyncClient` for an event loop. Both do the same.

    from aige.client import Client

    with Client() as aige:
        task = aige.avatar(["photo.jpg"], "a watercolour", ratio="4:3")
        Path("avatar.png").write_bytes(task.picture())

A request is repeated while the service is away, for up to `patience_s` seconds. Its idempotency key is made before the
first try, so that repetitions start no second task. Pictures may be URLs, paths or bytes. Where no place is given for a
result, it goes to the service's own store.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from aige.async_client import AsyncClient, AsyncTask
from aige.errors import ClientError, NotAnAige, Refused, TaskEnded, Unreachable
from aige.requests import PATIENCE_S, Place, Source
from deployments.api.answers import ErasureResponse, ServiceResponse, TaskResponse, VerifyResponse

__all__ = [
    "AsyncClient",
    "AsyncTask",
    "Client",
    "ClientError",
    "NotAnAige",
    "Place",
    "Refused",
    "Source",
    "Task",
    "TaskEnded",
    "Unreachable",
]


class Task:
    """See `AsyncTask`."""

    def __init__(self, portal: BlockingPortal, task: AsyncTask) -> None:
        self._portal = portal
        self._task = task
        self.id = task.id
        self.read_url = task.read_url

    def updates(self) -> Iterator[TaskResponse]:
        """The task as it changes, to its end."""
        return _one_by_one(self._portal, self._task.updates())

    def wait(self, on_change: Callable[[TaskResponse], None] = lambda _: None) -> TaskResponse:
        """The task once it is done.

        Raises:
            TaskEnded: it ended in `error`.
        """
        for task in self.updates():
            on_change(task)
        if task.error is not None:
            raise TaskEnded(task)
        return task

    def picture(self) -> bytes:
        """The result, an encoded PNG, once it is there.

        Raises:
            TaskEnded: the task ended in `error`.
        """
        return self._portal.call(self._task.picture)

    def cancel(self) -> TaskResponse:
        """Ends the task; one that has already ended stays as it is."""
        return self._portal.call(self._task.cancel)


class Client:
    """The same as `AsyncClient`, which it runs on an event loop of its own, in a thread: any thread may use it."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        try:
            self._client = AsyncClient(url, key, patience_s=patience_s, transport=transport)
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self._portal.call, self._client.aclose)
        self.url = self._client.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def close(self) -> None:
        self._stack.close()

    def avatar(  # noqa: PLR0913 - the request has that many fields
        self,
        photos: Source | Sequence[Source],
        prompt: str,
        *,
        ratio: str = "1:1",
        avatar_id: str = "avatar",
        place: Place | None = None,
        webhook: str | None = None,
        key: str | None = None,
    ) -> Task:
        """A cut-out avatar of the person in one to eight photos.

        `webhook`: a URL that is told of the task's end. `key`: an idempotency key of the caller's own, which a call
        with the same arguments repeats. It needs a `place`, and pictures that need no upload: a new place each time
        would make another request of it.

        Raises:
            ClientError: the API would refuse it, or it could not be repeated by its `key`.
        """

        async def submit() -> AsyncTask:
            return await self._client.avatar(
                photos, prompt, ratio=ratio, avatar_id=avatar_id, place=place, webhook=webhook, key=key
            )

        return Task(self._portal, self._portal.call(submit))

    def background(  # noqa: PLR0913 - the request has that many fields
        self,
        prompt: str,
        *,
        ratio: str = "1:1",
        avatar_id: str = "avatar",
        place: Place | None = None,
        webhook: str | None = None,
        key: str | None = None,
    ) -> Task:
        """An opaque scene."""

        async def submit() -> AsyncTask:
            return await self._client.background(
                prompt, ratio=ratio, avatar_id=avatar_id, place=place, webhook=webhook, key=key
            )

        return Task(self._portal, self._portal.call(submit))

    def compose(  # noqa: PLR0913 - the request has that many fields
        self,
        person: Source,
        background: Source,
        prompt: str,
        *,
        x: float,
        y: float,
        scale: float,
        canvas: str = "landscape_16_9",
        avatar_id: str = "avatar",
        place: Place | None = None,
        webhook: str | None = None,
        key: str | None = None,
    ) -> Task:
        """The person on the background: their top-left corner at `x`, `y` of the canvas, in their own size times
        `scale`.
        """

        async def submit() -> AsyncTask:
            return await self._client.compose(
                person,
                background,
                prompt,
                x=x,
                y=y,
                scale=scale,
                canvas=canvas,
                avatar_id=avatar_id,
                place=place,
                webhook=webhook,
                key=key,
            )

        return Task(self._portal, self._portal.call(submit))

    def task(self, task_id: str) -> TaskResponse:
        """The whole task, as it stands."""
        return self._portal.call(self._client.task, task_id)

    def tasks(
        self,
        *,
        status: str | Sequence[str] = (),
        operation: str | Sequence[str] = (),
        avatar_id: str | Sequence[str] = (),
    ) -> Iterator[TaskResponse]:
        """Your tasks, the newest first, fetched a page at a time. Of each filter, any of the values will do."""
        return _one_by_one(self._portal, self._client.tasks(status=status, operation=operation, avatar_id=avatar_id))

    def erase(self, avatar_id: str) -> ErasureResponse:
        """Erases the avatar's tasks, their pictures in the service's own store, and what providers keep of them.

        Raises:
            Refused: with status 404, nothing is known of this avatar. That may be the work of this very call, where its
                first answer was lost: its report is lost then, too.
        """
        return self._portal.call(self._client.erase, avatar_id)

    def send_webhook_again(self, task_id: str) -> TaskResponse:
        """Tells the end of a task once more: now, and by the webhook's schedule where that fails."""
        return self._portal.call(self._client.send_webhook_again, task_id)

    def cancel(self, task_id: str) -> TaskResponse:
        """Ends a task; one that has already ended stays as it is."""
        return self._portal.call(self._client.cancel, task_id)

    def service(self) -> ServiceResponse:
        """What the server is."""
        return self._portal.call(self._client.service)

    def verify(self, picture: Source) -> VerifyResponse:
        """What a picture's content credentials say."""
        return self._portal.call(self._client.verify, picture)

    def presign(self) -> Place:
        """A place for one object in the service's own store."""
        return self._portal.call(self._client.presign)

    def upload(self, content: bytes) -> str:
        """Puts a picture into the service's own store, and returns the URL at which it is read."""
        return self._portal.call(self._client.upload, content)

    def download(self, url: str) -> bytes:
        """What lies at a URL, such as a task's `read_url`."""
        return self._portal.call(self._client.download, url)


def _one_by_one(portal: BlockingPortal, tasks: AsyncGenerator[TaskResponse, None]) -> Iterator[TaskResponse]:
    """What `tasks` yields. Whoever is interrupted meanwhile (Ctrl-C), or leaves early, ends it too."""

    async def following() -> TaskResponse | None:
        return await anext(tasks, None)

    try:
        while (task := _result_of(portal, following)) is not None:
            yield task
    finally:
        with suppress(RuntimeError):  # it ends by itself, where it was interrupted
            portal.call(tasks.aclose)


def _result_of(portal: BlockingPortal, following: Callable[[], Awaitable[TaskResponse | None]]) -> TaskResponse | None:
    future = portal.start_task_soon(following)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
