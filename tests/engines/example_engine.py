"""An engine for a provider with a queue: submit a job, look at it until it has ended, hand on its picture's URL."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from deployments.engines.base import Cost, EngineContext, Made, PaidCall
from deployments.errors import ContentRejected, EngineError, SettingsError
from deployments.media import images
from deployments.media.picture import Picture
from deployments.media.results import has_no_transparency
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment

MODEL = "example"  # what the provider bills
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Options(BaseModel):
    """`engine_options` in `serve_config.yaml`: the provider's address, and how often a job is looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.example.com"
    look_every_s: float = Field(default=1, gt=0)

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> Self:
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SettingsError(f"engine_options.{first['loc'][0]}: {first['msg']}") from None


class Job(BaseModel):
    """What the provider says of a job."""

    id: str = Field(min_length=1)
    state: Literal["queued", "running", "done", "rejected", "failed"]
    picture: str = ""
    units: float | None = None


class ExampleEngine:
    """See `deployments.engines.base.Engine`. `transport` and `sleep` are for tests."""

    name: ClassVar[str] = "example"
    generative: ClassVar[bool] = True
    blends: ClassVar[bool] = True

    @classmethod
    def check(cls, options: Mapping[str, object], _environment: Environment) -> None:
        """Called before the service starts. Raises `SettingsError`, with one line that says what to set."""
        Options.parse(options)
        _key()

    def __init__(
        self,
        context: EngineContext,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        options = Options.parse(context.options)
        self._context = context
        self._pause_s = options.look_every_s
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=options.base_url, headers={"Authorization": f"Bearer {_key()}"}, transport=transport, timeout=30
        )
        self._cancelling: set[asyncio.Task[None]] = set()

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall) -> Made:
        return await self._made("portrait", call, photos, prompt=prompt, size=list(ratio.pixels))

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall) -> Made:
        return await self._made("scene", call, [], prompt=prompt, size=list(ratio.pixels))

    async def cut_out(self, picture: Picture, call: PaidCall) -> Made:
        if picture.data is not None:
            limits = self._context.limits
            if not await asyncio.to_thread(has_no_transparency, picture.data, limits):
                return Made(picture)
        return await self._made("cut-out", call, [picture])

    async def blend(self, prompt: str, composite: Picture, call: PaidCall) -> Made:
        return await self._made("relight", call, [composite], prompt=prompt)

    async def _made(self, model: str, call: PaidCall, pictures: Sequence[Picture], **body: JsonValue) -> Made:
        sent: list[str] = []  # what `send` has submitted: `call.submit` itself may end as cancelled

        async def send() -> str:
            sent.append(await self._submit(model, body))
            return sent[0]

        try:
            if (receipt := call.receipt) is None:
                body["pictures"] = [await self._uri(picture) for picture in pictures]
                receipt = await call.submit(send, MODEL)
            return await self._result(receipt, call)
        except asyncio.CancelledError:
            if receipt := call.receipt or next(iter(sent), None):
                self._cancel_soon(receipt, call)
            raise

    async def _submit(self, model: str, body: Mapping[str, JsonValue]) -> str:
        """One POST. Raises `TaskFailed` only if the provider certainly did not take it."""
        try:
            response = await self._http.post(f"/{model}", json=body)
        except _NEVER_SENT as error:
            raise EngineError("The image model cannot be reached: try again later.") from error
        if response.is_client_error and response.status_code != httpx.codes.REQUEST_TIMEOUT:
            raise EngineError("The image model does not take the request: try another prompt or picture.")
        response.raise_for_status()
        return Job.model_validate_json(response.content).id

    async def _result(self, receipt: str, call: PaidCall) -> Made:
        while True:
            job = await self._look(receipt)
            match job:
                case Job(state="done"):
                    return Made(Picture(url=job.picture, of_engine=True), cost=Cost(MODEL, job.units))
                case Job(state="rejected"):
                    raise ContentRejected("The image model rejected the content: change the prompt or the pictures.")
                case Job(state="failed"):
                    raise EngineError("The image model broke down: try again later.")
                case Job():
                    call.report(f"The image model says: {job.state}.")
            await self._sleep(self._pause_s)

    async def _look(self, receipt: str) -> Job | None:
        """None where no answer came: the job is paid for, so it is looked at again until the stage's deadline."""
        try:
            response = await self._http.get(f"/jobs/{receipt}")
            return Job.model_validate_json(response.raise_for_status().content)
        except (httpx.HTTPError, ValidationError):
            return None

    async def _uri(self, picture: Picture) -> str:
        """A data URI. What is not a picture, or too large, raises `InvalidImage` here, before anything is paid."""
        limits = self._context.limits
        data = await picture.read(self._context.egress, limits.bytes)
        image = await asyncio.to_thread(images.decode, data, limits, 2048)
        png = await asyncio.to_thread(images.encode, image)
        return f"data:image/png;base64,{base64.b64encode(png).decode()}"

    def _cancel_soon(self, receipt: str, call: PaidCall) -> None:
        """In the background: the cancelled verb does not wait for the provider."""
        cancelling = asyncio.create_task(self._cancel(receipt, call))
        self._cancelling.add(cancelling)  # the event loop itself keeps weak references only
        cancelling.add_done_callback(self._cancelling.discard)

    async def _cancel(self, receipt: str, call: PaidCall) -> None:
        if not await call.is_wanted():
            await self._http.delete(f"/jobs/{receipt}")


def _key() -> str:
    key = os.environ.get("EXAMPLE_KEY", "")
    if not key:
        raise SettingsError("EXAMPLE_KEY: the example engine needs a key; set it in the environment")
    return key
