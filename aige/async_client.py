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
    may_ask_proxy,
    options_of,
    origin_of,
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
        """The task as it changes, to its end: as events, and by asking every second where the stream breaks off."""
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
        self._elsewhere: dict[bool, httpx.AsyncClient] = {}
        self._transport = transport
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
        for http in (self._http, *self._elsewhere.values()):
            await http.aclose()

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

        `webhook`: a URL that is told of the task's end. `key`: an idempotency key of the caller's own, which a call
        with the same arguments repeats. It needs a `place`, and pictures that need no upload: a new place each time
        would make another request of it.

        Raises:
            ClientError: the API would refuse it, or it could not be repeated by its `key`.
        """
        sources: list[JsonValue] = [*await self._sources(_listed(photos), key)]
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
        person_url, background_url = [await self._url_of(source, key) for source in (person, background)]
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
        """Erases the avatar's tasks, their pictures in the service's own store, and what providers keep of them.

        Raises:
            Refused: with status 404, nothing is known of this avatar. That may be the work of this very call, where its
                first answer was lost: its report is lost then, too.
        """
        return await self._answer(Call("DELETE", _path(avatar_id)), ErasureResponse)

    async def send_webhook_again(self, task_id: str) -> TaskResponse:
        """Tells the end of a task once more: now, and by the webhook's schedule where that fails."""
        return await self._answer(Call("POST", f"/task/{task_id}/webhook"), TaskResponse)

    async def updates(self, task_id: str) -> AsyncGenerator[TaskResponse, None]:
        """The task as it changes, to its end."""
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
        http = self._asking(place.write_url)
        response = await self._tried(lambda: http.put(place.write_url, content=content), place.write_url)
        if not response.is_success:
            raise ClientError(f"The service's store did not take the picture (status {response.status_code}).")
        return place.read_url

    async def download(self, url: Source) -> bytes:
        """What lies at a URL, such as a task's `read_url`."""
        http = self._asking(str(url))
        response = await self._tried(lambda: http.get(str(url), follow_redirects=True), str(url))
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
        if key and place is None:
            raise ClientError("key: needs a place as well: a new one each time would make another request of it.")
        place = place or await self.presign()
        try:
            request = model.model_validate({**body, "writeUrl": place.write_url, "readUrl": place.read_url})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ClientError(f"{where}: {first['msg'].removeprefix('Value error, ')}.") from None
        accepted = await self._answer(submission(route, request, key), Accepted)
        return AsyncTask(self, accepted.aige_task_id, place.read_url)

    async def _sources(self, photos: Sequence[Source], key: str | None) -> list[str]:
        """Photos as the API takes them: URLs as they are, small files in base64, large ones by the store."""
        contents = {
            at: await asyncio.to_thread(content_of, photo) for at, photo in enumerate(photos) if not is_url(photo)
        }
        texts = inline(list(contents.values()))
        if texts is None:
            texts = [await self._uploaded(content, key) for content in contents.values()]
        at_hand = dict(zip(contents, texts, strict=True))
        return [at_hand[at] if at in at_hand else str(photo) for at, photo in enumerate(photos)]

    async def _url_of(self, source: Source, key: str | None) -> str:
        return str(source) if is_url(source) else await self._uploaded(await asyncio.to_thread(content_of, source), key)

    async def _uploaded(self, content: bytes, key: str | None) -> str:
        """The URL of a picture that does not go in the request. It is another one each time, which no `key` repeats."""
        if key:
            raise ClientError("key: needs pictures that go in the request: upload these first, and give their URLs.")
        return await self.upload(content)

    def _asking(self, url: str) -> httpx.AsyncClient:
        """Who asks for a URL that is not the API's; made when first needed, as httpx cannot use every proxy.

        Raises:
            ClientError: that is no URL.
        """
        origin_of(url)
        by_proxy = may_ask_proxy(url)
        if by_proxy not in self._elsewhere:
            self._elsewhere[by_proxy] = httpx.AsyncClient(
                timeout=_TIMEOUT, transport=self._transport, trust_env=by_proxy
            )
        return self._elsewhere[by_proxy]

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

        return parsed(await self._tried(send, self.url), model)

    async def _tried(self, send: Callable[[], Awaitable[httpx.Response]], url: str) -> httpx.Response:
        """An answer that stands, as long as patience lasts. `url` is what is asked: AIGE's, or another server's."""
        address = origin_of(url)
        is_aige = address == origin_of(self.url)
        give_up = self._clock() + self._patience_s
        for tries in count():
            response, error = None, None
            try:
                response = await send()
            except (httpx.HTTPError, httpx.InvalidURL) as trouble:
                error = trouble
            pause = pause_after(response, tries, is_aige=is_aige)
            if response is not None and pause is None:
                return response
            if pause is None or self._clock() + pause > give_up:
                raise given_up(response, error, self.url if is_aige else address, is_aige=is_aige) from error
            await self._sleep(pause)
        raise AssertionError("the loop has no end")


def _common(prompt: str, avatar_id: str, webhook: str | None) -> Body:
    """The fields of each submission, apart from the result's place."""
    return {"prompt": prompt, "avatar_id": avatar_id, "webhookUrl": webhook}


def _path(avatar_id: str) -> str:
    try:
        return f"/avatar/{quote(avatar_id, safe='')}"
    except UnicodeEncodeError:
        raise ClientError("avatar_id: must not contain lone surrogates.") from None


def _listed(photos: Source | Sequence[Source]) -> list[Source]:
    return [photos] if isinstance(photos, str | bytes | Path) else list(photos)
