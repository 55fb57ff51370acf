"""Admission: what a request must satisfy beyond its schema, and its translation into a task and its work.

URLs are judged as written: names are resolved only when a stage opens them. Nothing here goes out to the network.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from deployments.api.inline_picture import NotInline, inline_picture
from deployments.api.models import AvatarRequest, BackgroundRequest, OverlayRequest
from deployments.errors import InvalidImage, InvalidRequest
from deployments.media import images, signed_urls
from deployments.media.destinations import MAX_URL_LENGTH, AllowedHosts, OwnStore, Refused, check_url
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.settings import Limits
from deployments.tasks.record import Task, now
from deployments.tasks.traces import Traces, place_of
from deployments.tasks.webhook import Webhook
from deployments.tasks.work import AvatarJob, BackgroundJob, Job, OverlayJob, Work

Location = tuple[str | int, ...]
Submission = AvatarRequest | BackgroundRequest | OverlayRequest

_WEB_URL = re.compile(r"\s*https?:", re.IGNORECASE)


class Admission:
    """Turns a well-formed request into a new task and its work, or refuses it with `InvalidRequest`."""

    def __init__(  # noqa: PLR0913 - what a request is judged by
        self,
        *,
        engine: str,
        limits: Limits,
        allow: AllowedHosts,
        store: OwnStore | None,
        sends_webhooks: bool = False,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._allow = allow
        self._store = store
        self._sends_webhooks = sends_webhooks
        self._clock = clock

    def avatar(self, body: AvatarRequest, caller: str) -> tuple[Task, Work]:
        if len(body.source_images) > self._limits.source_images:
            raise InvalidRequest(
                f"This server takes at most {self._limits.source_images} photos.", ("body", "source_images")
            )
        photos = tuple(
            self._photo(text, ("body", "source_images", index)) for index, text in enumerate(body.source_images)
        )
        return self._admit(
            body, AvatarJob(body.prompt, photos, body.aspect_ratio, body.writeUrl, read_url=body.readUrl), caller
        )

    def background(self, body: BackgroundRequest, caller: str) -> tuple[Task, Work]:
        job = BackgroundJob(body.prompt, body.aspect_ratio, body.writeUrl, read_url=body.readUrl)
        return self._admit(body, job, caller)

    def overlay(self, body: OverlayRequest, caller: str) -> tuple[Task, Work]:
        place = body.params.position
        job = OverlayJob(
            prompt=body.prompt,
            person=Picture(url=self._url(body.params.person, ("body", "params", "person"))),
            background=Picture(url=self._url(body.params.background, ("body", "params", "background"))),
            canvas=body.aspect_ratio,
            x=place.x,
            y=place.y,
            scale=place.scale,
            write_url=body.writeUrl,
            read_url=body.readUrl,
        )
        return self._admit(body, job, caller)

    def _admit(self, body: Submission, job: Job, caller: str) -> tuple[Task, Work]:
        self._url(body.readUrl, ("body", "readUrl"))
        self._url(body.writeUrl, ("body", "writeUrl"))
        if signed_urls.is_expired(body.writeUrl, self._clock()):
            raise InvalidRequest("The writeUrl has already expired; send a fresh one.", ("body", "writeUrl"))
        if demand := signed_urls.unmet_demand(body.writeUrl, self._clock()):
            raise InvalidRequest(f"The writeUrl {demand}.", ("body", "writeUrl"))
        webhook_url = self._webhook_url(body)
        task = Task.accepted(
            task_id=str(uuid4()),
            avatar_id=body.avatar_id,
            operation=job.operation,
            read_url=body.readUrl,
            engine=self._engine,
            at=self._clock(),
            caller=caller,
        )
        if webhook_url is not None:
            task = replace(task, webhook=Webhook())
        return task, Work(task.id, job, webhook_url=webhook_url, traces=self._traces(job, body.readUrl))

    def _traces(self, job: Job, read_url: str) -> Traces:
        sources = [url for picture in _pictures_of(job) if (url := picture.url) is not None]
        own = [url for url in (*sources, job.write_url, read_url) if self._store is not None and self._store.owns(url)]
        return Traces(tuple(dict.fromkeys(map(place_of, own))), tuple(dict.fromkeys(map(place_of, sources))))

    def _webhook_url(self, body: Submission) -> str | None:
        url, field = body.webhookUrl, ("body", "webhookUrl")
        if url is None:
            return None
        if not self._sends_webhooks:
            raise InvalidRequest("This server sends no webhooks: its operator has set no AIGE_WEBHOOK_SECRET.", field)
        if len(body.readUrl.encode()) > MAX_URL_LENGTH:
            raise InvalidRequest("The readUrl is too long to be told in a webhook.", ("body", "readUrl"))
        _check(url, self._allow, None, field)  # our own store takes no webhooks, wherever it listens
        return url

    def _url(self, url: str, field: Location) -> str:
        """`url` as it is, if it is one that may be opened; our own store's may, wherever it listens."""
        _check(url, self._allow, self._store, field)
        return url

    def _photo(self, text: str, field: Location) -> Picture:
        """The photo behind a URL, a data URI or bare base64."""
        if _WEB_URL.match(text):
            return Picture(url=self._url(text, field))
        try:
            data = inline_picture(text)
        except NotInline as error:
            raise InvalidRequest(str(error), field) from None
        if images.sniff(data) is None:
            raise InvalidRequest("The picture is no PNG, JPEG or WebP.", field)
        if len(data) > self._limits.picture_bytes:
            raise InvalidRequest(f"The picture is larger than {self._limits.picture_bytes:,} bytes.", field)
        try:
            images.check(data, PictureLimits(self._limits.picture_bytes, self._limits.picture_pixels))
        except InvalidImage as error:
            raise InvalidRequest(str(error), field) from None
        return Picture(data=data)


def _pictures_of(job: Job) -> tuple[Picture, ...]:
    """What the job's result is made of."""
    match job:
        case AvatarJob():
            return job.photos
        case OverlayJob():
            return (job.person, job.background)
    return ()


def _check(url: str, allow: AllowedHosts, store: OwnStore | None, field: Location) -> None:
    try:
        check_url(url, allow, store)
    except Refused as error:
        raise InvalidRequest(f"The URL cannot be used: {error}.", field) from None
