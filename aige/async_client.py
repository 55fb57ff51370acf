"""The client on an event loop: what `aige.client` wraps for plain code."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from aige.errors import ClientError, Refused, TaskEnded
from aige.requests import (
    PATIENCE_S,
    Call,
    Place,
    Query,
    Source,
    content_of,
    given_up,
    inline,
    is_url,
    options_of,
    parsed,
    pause_after,
    settings_of,
    submission,
)
from deployments.api.answers import (
    Accepted,
    ErasureResponse,
    PresignResponse,
    ServiceResponse,
    TaskListResponse,
    TaskResponse,
    VerifyResponse,
)
from deployments.api.models import AvatarRequest, BackgroundRequest, OverlayRequest

M = TypeVar("M", bound=BaseModel)
Body = Mapping[str, JsonValue]

_TIMEOUT = httpx.Timeout(30)
_LOOK_EVERY_S = 1.0
_PAGE = 100


class AsyncTask:
    """One task, by its `id`; its result can be read at `read_url` once it is done."""

    def __init__(self, client: "AsyncClient", task_id: str, read_url: str) -> None:
        self._client = client
        self.id = task_id
        self.read_url = read_url

    async def updates(self) -> AsyncGenerator[TaskResponse, None]:
        """The task at each change, to its end: as events, and by asking every second where the stream breaks off."""
        async for task in self._client.updates(self.id):
            yield task

    async def wait(self, on_change: Callable[[TaskResponse], None] = lambda _: None) -> TaskResponse:
        """The task once it is done.

        Raises:
            TaskEnded: it ended in `error`.
        """
        async for task in self.updates():
            on_change(task)
        if task.error is not None:
            raise TaskEnded(task)
        return task

    async def picture(self) -> bytes:
        """The result, an encoded PNG, once it is there.

        Raises:
            TaskEnded: the task ended in `error`.
        """
        await self.wait()
        return await self._client.download(self.read_url)

    async def cancel(self) -> TaskResponse:
        """Ends the task; one that has already ended stays as it is."""
        return await self._client.cancel(self.id)


class AsyncClient:
    """See `aige.client`. `transport`, `sleep` and `clock` are for tests."""

    def __init__(  # noqa: PLR0913 - three of them only tests give
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url, key = settings_of(url, key)
        base, headers, trust_env = options_of(self.url, key)
        self._http = httpx.AsyncClient(
            base_url=base, headers=headers, timeout=_TIMEOUT, transport=transport, trust_env=trust_env
        )
        self._anywhere = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport, trust_env=trust_env)
        self._patience_s = patience_s
        self._sleep = sleep
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._anywhere.aclose()

    async def avatar(  # noqa: PLR0913 - the request has that many fields
        self,
        photos: Source | Sequence[Source],
        prompt: str,
        *,
        ratio: str = "1:1",
        avatar_id: str = "avatar",
        place: Place | None = None,
        webhook: str | None = None,
        key: str | None = None,
    ) -> AsyncTask:
        """A cut-out avatar of the person in one to eight photos.

        `webhook`: a URL that is told of the task's end. `key`: an idempotency key of the caller's own.
        """
        sources: list[JsonValue] = [*await self._sources(_listed(photos))]
        body = {**_common(prompt, avatar_id, webhook), "source_images": sources, "aspect_ratio": ratio}
        return await self._submitted(Call("POST", "/avatar"), AvatarRequest, body, place, key)

    async def background(  # noqa: PLR0913 - the request has that many fields
        self,
        prompt: str,
        *,
        ratio: str = "1:1",
        avatar_id: str = "avatar",
        place: Place | None = None,
        webhook: str | None = None,
        key: str | None = None,
    ) -> AsyncTask:
        """An opaque scene."""
        body = {**_common(prompt, avatar_id, webhook), "aspect_ratio": ratio}
        return await self._submitted(Call("PUT", f"{_path(avatar_id)}/background"), BackgroundRequest, body, place, key)

    async def compose(  # noqa: PLR0913 - the request has that many fields
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
    ) -> AsyncTask:
        """The person on the background: their top-left corner at `x`, `y` of the canvas, in their own size times
        `scale`.
        """
        person_url, background_url = [await self._url_of(source) for source in (person, background)]
        position: JsonValue = {"x": x, "y": y, "scale": scale}
        params: JsonValue = {"person": person_url, "background": background_url, "position": position}
        body = {**_common(prompt, avatar_id, webhook), "aspect_ratio": canvas, "params": params}
        return await self._submitted(Call("PUT", f"{_path(avatar_id)}/overlay"), OverlayRequest, body, place, key)

    async def task(self, task_id: str) -> TaskResponse:
        """The whole task, as it stands."""
        return await self._answer(Call("GET", f"/task/{task_id}"), TaskResponse)

    async def cancel(self, task_id: str) -> TaskResponse:
        """Ends a task; one that has already ended stays as it is."""
        try:
            return await self._answer(Call("DELETE", f"/task/{task_id}"), TaskResponse)
        except Refused as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            return await self.task(task_id)

    async def tasks(
        self,
        *,
        status: str | Sequence[str] = (),
        operation: str | Sequence[str] = (),
        avatar_id: str | Sequence[str] = (),
    ) -> AsyncGenerator[TaskResponse, None]:
        """Your tasks, the newest first, fetched a page at a time. Of each filter, any of the values will do."""
        query: Query = {"limit": _PAGE, "status": status, "operation": operation, "avatar_id": avatar_id}
        while True:
            page = await self._answer(Call("GET", "/tasks", query=query), TaskListResponse)
            for task in page.tasks:
                yield task
            if page.next is None:
                return
            query = {**query, "cursor": page.next}

    async def erase(self, avatar_id: str) -> ErasureResponse:
        """Erases the avatar's tasks, their pictures in the service's own store, and what providers keep of them."""
        return await self._answer(Call("DELETE", _path(avatar_id)), ErasureResponse)

    async def send_webhook_again(self, task_id: str) -> TaskResponse:
        """Tells the end of a task once more: now, and by the webhook's schedule where that fails."""
        return await self._answer(Call("POST", f"/task/{task_id}/webhook"), TaskResponse)

    async def updates(self, task_id: str) -> AsyncGenerator[TaskResponse, None]:
        """The task at each change, to its end."""
        seen: TaskResponse | None = None
        async for task in self._streamed(task_id):
            seen = task
            yield task
        while seen is None or not seen.status.is_terminal:
            if seen is not None:
                await self._sleep(_LOOK_EVERY_S)
            task = await self.task(task_id)
            if task != seen:
                yield task
            seen = task

    async def service(self) -> ServiceResponse:
        """What the server is."""
        return await self._answer(Call("GET", "/service"), ServiceResponse)

    async def verify(self, picture: Source) -> VerifyResponse:
        """What a picture's content credentials say."""
        content = await self.download(picture) if is_url(picture) else await asyncio.to_thread(content_of, picture)
        return await self._answer(Call("POST", "/verify", content=content), VerifyResponse)

    async def presign(self) -> Place:
        """A place for one object in the service's own store."""
        return Place.of(await self._answer(Call("POST", "/storage/presign", {}), PresignResponse))

    async def upload(self, content: bytes) -> str:
        """Puts a picture into the service's own store, and returns the URL at which it is read."""
        place = await self.presign()
        response = await self._tried(lambda: self._anywhere.put(place.write_url, content=content))
        if not response.is_success:
            raise ClientError(f"The service's store did not take the picture (status {response.status_code}).")
        return place.read_url

    async def download(self, url: Source) -> bytes:
        """What lies at a URL, such as a task's `read_url`."""
        response = await self._tried(lambda: self._anywhere.get(str(url), follow_redirects=True))
        if not response.is_success:
            raise ClientError(f"The picture could not be loaded (status {response.status_code}).")
        return response.content

    async def _submitted(
        self,
        route: Call,
        model: type[AvatarRequest | BackgroundRequest | OverlayRequest],
        body: Body,
        place: Place | None,
        key: str | None,
    ) -> AsyncTask:
        place = place or await self.presign()
        try:
            request = model.model_validate({**body, "writeUrl": place.write_url, "readUrl": place.read_url})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ClientError(f"{where}: {first['msg'].removeprefix('Value error, ')}.") from None
        accepted = await self._answer(submission(route, request, key), Accepted)
        return AsyncTask(self, accepted.aige_task_id, place.read_url)

    async def _sources(self, photos: Sequence[Source]) -> list[str]:
        """Photos as the API takes them: URLs as they are, small files in base64, large ones by the store."""
        contents = {
            at: await asyncio.to_thread(content_of, photo) for at, photo in enumerate(photos) if not is_url(photo)
        }
        texts = inline(list(contents.values()))
        if texts is None:
            texts = [await self.upload(content) for content in contents.values()]
        at_hand = dict(zip(contents, texts, strict=True))
        return [at_hand.get(at) or str(photo) for at, photo in enumerate(photos)]

    async def _url_of(self, source: Source) -> str:
        return str(source) if is_url(source) else await self.upload(await asyncio.to_thread(content_of, source))

    async def _streamed(self, task_id: str) -> AsyncGenerator[TaskResponse, None]:
        """The event stream, as far as it goes: it may break off, or not be there at all."""
        try:
            async with self._http.stream("GET", f"/task/{task_id}/events") as stream:
                if stream.status_code != httpx.codes.OK:
                    return
                async for line in stream.aiter_lines():
                    if line.startswith("data:"):
                        yield TaskResponse.model_validate_json(line.removeprefix("data:"))
        except (httpx.HTTPError, ValidationError):
            return

    async def _answer(self, call: Call, model: type[M]) -> M:
        """The body of a success.

        Raises:
            Unreachable, NotAnAige, Refused: there is none.
        """
        body = {"json": call.json} if call.json is not None else {"content": call.content}

        async def send() -> httpx.Response:
            return await self._http.request(call.method, call.path, headers=call.headers, params=call.query, **body)

        return parsed(await self._tried(send), model)

    async def _tried(self, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """An answer that stands, as long as patience lasts."""
        give_up = self._clock() + self._patience_s
        for tries in count():
            response, error = None, None
            try:
                response = await send()
            except (httpx.HTTPError, httpx.InvalidURL) as trouble:
                error = trouble
            pause = pause_after(response, tries)
            if response is not None and pause is None:
                return response
            if pause is None or self._clock() + pause > give_up:
                raise given_up(response, error, self.url) from error
            await self._sleep(pause)
        raise AssertionError("the loop has no end")


def _common(prompt: str, avatar_id: str, webhook: str | None) -> Body:
    """The fields of each submission, apart from the result's place."""
    return {"prompt": prompt, "avatar_id": avatar_id, "webhookUrl": webhook}


def _path(avatar_id: str) -> str:
    return f"/avatar/{quote(avatar_id, safe='')}"


def _listed(photos: Source | Sequence[Source]) -> list[Source]:
    return [photos] if isinstance(photos, str | bytes | Path) else list(photos)
