"""An engine behind OpenAI's images API: OpenAI itself, or a server of one's own that speaks the same."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, TypeVar

import httpx
from PIL import Image, ImageOps
from pydantic import JsonValue

from deployments.engines import prompts
from deployments.engines.base import Cost, EngineContext, Made, PaidCall, Verb
from deployments.engines.openai import errors
from deployments.engines.openai.answers import Answer, Lost
from deployments.engines.openai.api import Form, ImagesApi
from deployments.engines.openai.options import OPENAI, OpenAIOptions
from deployments.engines.ready import made_ready
from deployments.engines.submits import Sleep, tries
from deployments.errors import EngineError, EngineTimeout, InvalidImage, NotCharged, SettingsError
from deployments.media import images
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.media.provenance.sources import DigitalSource
from deployments.media.sizes import AspectRatio, Size
from deployments.settings import Environment

PHOTO_SIDE = 2048
"""Photos are shrunk to it, in pixels: more than the models look at."""
FREE_TRIES = 3
"""How often a server of one's own is asked, where its answers are lost."""

Result = TypeVar("Result")


class OpenAIEngine:
    """See `deployments.engines.base.Engine`, and `OpenAIOptions` for its options.

    A call is answered with the picture itself. So the answer is the receipt of a call that is charged for; one whose
    answer was lost is not repeated, unless `charges` is false.

    Raises:
        SettingsError: an option is wrong, or OpenAI's key is missing.
    """

    name: ClassVar = "openai"
    generative: ClassVar = True
    blends: ClassVar = True

    @classmethod
    def check(cls, options: Mapping[str, object], environment: Environment) -> None:
        """Refuses wrong options, and a missing key.

        Raises:
            SettingsError: one line that names the setting.
        """
        _key_in(environment, OpenAIOptions.parse(options))

    @classmethod
    def lacks(cls, verb: Verb, options: Mapping[str, object]) -> str | None:
        """Why it cannot do a verb; None where it can."""
        model = OpenAIOptions.parse(options).model(verb)
        if model is None:
            return f"its option `models.{verb}` names none of its server's models"
        if verb is Verb.CUT_OUT and not model.transparent:
            return f"the model {model.model} makes no transparent background"
        return None

    def digital_source(self, _verb: Verb, /) -> DigitalSource:
        """A cut-out, too, is painted by the model."""
        return DigitalSource.TRAINED

    def __init__(self, context: EngineContext, *, sleep: Sleep = asyncio.sleep) -> None:
        options = OpenAIOptions.parse(context.options)
        self._options = options
        self._context = context
        self._sleep = sleep
        self._api = ImagesApi(
            options.base_url or OPENAI,
            _key_in(context.environment, options),
            deadline_s=options.deadline_s,
            most_bytes=context.limits.bytes,
        )

    async def portrait(self, prompt: str, photos: Sequence[Picture], ratio: AspectRatio, call: PaidCall, /) -> Made:
        model = self._options.model(Verb.PORTRAIT)
        used = photos[: model.images_taken if model else None]
        notes = () if len(used) == len(photos) else (f"Of the photos, the model took the first {len(used)} only.",)
        form = self._form(Verb.PORTRAIT, prompts.portrait_prompt(prompt), ratio.pixels, used)
        return await self._made(Verb.PORTRAIT, form, call, notes)

    async def background(self, prompt: str, ratio: AspectRatio, call: PaidCall, /) -> Made:
        form = self._form(Verb.BACKGROUND, prompts.background_prompt(prompt), ratio.pixels)
        return await self._made(Verb.BACKGROUND, form, call)

    async def cut_out(self, picture: Picture, call: PaidCall, /) -> Made:
        """The model paints the person again, on nothing; what it gives is brought to the size of `picture`."""
        size, is_opaque = await asyncio.to_thread(_look, await self._bytes_of(picture), self._context.limits)
        if not is_opaque:
            return Made(picture)
        form = self._form(Verb.CUT_OUT, prompts.cut_out_prompt(), size, [picture], background="transparent")
        made = await self._made(Verb.CUT_OUT, form, call)
        cut = await asyncio.to_thread(_fitted, await self._bytes_of(made.picture), size, self._context.limits)
        return Made(Picture(cut), made.notes, made.cost, made.model)

    async def blend(self, prompt: str, composite: Picture, call: PaidCall, /) -> Made:
        size, _ = await asyncio.to_thread(_look, await self._bytes_of(composite), self._context.limits)
        form = self._form(Verb.BLEND, prompts.blend_prompt(prompt), size, [composite])
        return await self._made(Verb.BLEND, form, call)

    def _form(
        self, verb: Verb, prompt: str, size: Size, pictures: Sequence[Picture] = (), **fields: JsonValue
    ) -> Callable[[], Awaitable[Form]]:
        """Makes what to ask ready, where it is to be asked."""

        async def form() -> Form:
            model = self._options.model(verb)
            if model is None:
                raise EngineError(f"The service's operator has to choose a model in {self._setting(verb)}.")
            optional = {"size": model.size_for(size), "response_format": model.response_format}
            sent = {name: value for name, value in optional.items() if value is not None}
            ready = await asyncio.gather(*(self._ready(picture) for picture in pictures))
            return Form(
                route="images/edits" if pictures else "images/generations",
                fields={"model": model.model, "prompt": prompt, "n": 1, **sent, **fields, **model.parameters},
                pictures=ready,
                image_field=model.image_field,
                model=model.model,
            )

        return form

    async def _made(
        self, verb: Verb, form: Callable[[], Awaitable[Form]], call: PaidCall, notes: tuple[str, ...] = ()
    ) -> Made:
        is_paid = self._options.charges or call.receipt is not None
        answer = await (self._paid(form, call) if is_paid else self._free(form))
        if answer.status >= httpx.codes.BAD_REQUEST:
            raise errors.failure_of(answer, self._setting(verb), self._api.hosts)
        cost = Cost(answer.model, answer.tokens) if is_paid else None
        return Made(await self._picture_in(answer, verb), notes, cost, answer.model)

    async def _paid(self, form: Callable[[], Awaitable[Form]], call: PaidCall) -> Answer:
        receipt = call.receipt
        if receipt is None:
            asked = await form()

            async def send() -> str:
                return (await self._api.ask(asked)).receipt

            # The pauses lie outside `call.submit`, as a cancellation has to wait for that.
            receipt = await _until_taken(lambda: call.submit(send, asked.model))
        try:
            return Answer.model_validate_json(receipt)
        except ValueError as error:
            raise EngineError("What was paid for is no answer of this image model's.") from error

    async def _free(self, form: Callable[[], Awaitable[Form]]) -> Answer:
        asked, seconds = await form(), self._options.deadline_s
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await self._repeated(asked)
        except TimeoutError:
            if not deadline.expired():  # somebody else's
                raise
            raise EngineTimeout(f"The image model was not done within {seconds:g} s: try again later.") from None

    async def _repeated(self, asked: Form) -> Answer:
        """A lost call costs nothing but time; so does one that broke down."""
        for number in range(FREE_TRIES):
            await self._sleep(number)
            with suppress(Lost):
                answer = await _until_taken(lambda: self._api.ask(asked))
                if answer.status < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer
        raise NotCharged(
            f"The image model gave no answer, {FREE_TRIES} times over: try again later.", "its answers were lost"
        )

    async def _picture_in(self, answer: Answer, verb: Verb) -> Picture:
        if (data := answer.picture) is not None:
            return Picture(data)
        if answer.url:
            try:
                url = httpx.URL(answer.url)
            except httpx.InvalidURL:
                url = httpx.URL("")
            if url.host and url.scheme in {"http", "https"}:
                return Picture(url=answer.url, of_engine=True)
            if not url.scheme and not url.host and url.path:
                return Picture(await self._api.picture(answer.url))
        raise EngineError(
            f"The image model's answer holds no picture: try again; if that does not help, the service's operator has "
            f"to check {self._setting(verb)}."
        )

    async def _ready(self, picture: Picture) -> tuple[bytes, str]:
        return await asyncio.to_thread(made_ready, await self._bytes_of(picture), self._context.limits, PHOTO_SIDE)

    async def _bytes_of(self, picture: Picture) -> bytes:
        return await picture.read(self._context.egress, self._context.limits.bytes)

    def _setting(self, verb: Verb) -> str:
        return f"{self._context.options_at}.models.{verb}"


async def _until_taken(send: Callable[[], Awaitable[Result]]) -> Result:
    async for attempt in tries():
        with attempt:
            return await send()
    raise AssertionError("the last attempt raises")


def _look(data: bytes, limits: PictureLimits) -> tuple[Size, bool]:
    """The picture's size, and whether it has no transparency."""
    image = images.decode(data, limits)
    return image.size, images.is_opaque(image)


def _fitted(data: bytes, size: Size, limits: PictureLimits) -> bytes:
    """What the model cut out, in the size of what it was given."""
    try:
        image = images.decode(data, limits)
    except InvalidImage as error:
        raise EngineError("The image model returned something that is no usable picture; try again.") from error
    return images.encode(ImageOps.fit(image, size, Image.Resampling.BICUBIC))


def _key_in(environment: Environment, options: OpenAIOptions) -> str:
    given = environment.openai_api_key
    key = given.get_secret_value().strip() if given else ""
    if not key and options.base_url is None:
        raise SettingsError("OPENAI_API_KEY: the openai engine needs a key, or a `base_url` of another server")
    if not re.fullmatch(r"[!-~]*", key):  # HTTP libraries quote the header values that they do not like in their errors
        raise SettingsError("OPENAI_API_KEY: holds characters that no key has; set it as OpenAI gave it")
    return key
