"""Admission: what a request must satisfy beyond its schema, and its translation into a task and its work.

URLs are judged as written: names are resolved only when a stage opens them. Nothing here goes out to the network.
"""

import re
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from deployments.api.inline_picture import NotInline, inline_picture
from deployments.api.models import AvatarRequest, BackgroundRequest, OverlayRequest
from deployments.errors import InvalidImage, InvalidRequest
from deployments.media import images, signed_urls
from deployments.media.destinations import AllowedHosts, OwnStore, Refused, check_url
from deployments.media.images import PictureLimits
from deployments.media.picture import Picture
from deployments.settings import Limits
from deployments.tasks.record import Task, now
from deployments.tasks.work import AvatarJob, BackgroundJob, Job, OverlayJob, Work

Location = tuple[str | int, ...]
Submission = AvatarRequest | BackgroundRequest | OverlayRequest

_WEB_URL = re.compile(r"\s*https?:", re.IGNORECASE)


class Admission:
    """Turns a well-formed request into a new task and its work, or refuses it with `InvalidRequest`."""

    def __init__(
        self,
        *,
        engine: str,
        limits: Limits,
        allow: AllowedHosts,
        store: OwnStore | None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._allow = allow
        self._store = store
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
        task = Task.accepted(
            task_id=str(uuid4()),
            avatar_id=body.avatar_id,
            operation=job.operation,
            read_url=body.readUrl,
            engine=self._engine,
            at=self._clock(),
            caller=caller,
        )
        return task, Work(task.id, job)

    def _url(self, url: str, field: Location) -> str:
        """`url` as it is, if it is one that may be opened; our own store's may, wherever it listens."""
        try:
            check_url(url, self._allow, self._store)
        except Refused as error:
            raise InvalidRequest(f"The URL cannot be used: {error}.", field) from None
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
