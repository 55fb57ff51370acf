"""Uploader: the result, put where the caller asked; webhooks, which tell of it; and erasure."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from deployments.api.webhook_sender import WebhookSender
from deployments.engines.base import Engine
from deployments.engines.loading import chosen_engines
from deployments.media.open_media import open_store, open_webhook_egress
from deployments.media.provenance.marks import stamped
from deployments.media.provenance.opening import open_signer
from deployments.media.provenance.signing import Signer, is_quickly_signed
from deployments.media.upload import upload
from deployments.runtime.erasing import Erasing
from deployments.runtime.stage import Stage, StepContext
from deployments.settings import Settings
from deployments.tasks.batches import Answers
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere
from deployments.tasks.origin import statement_of
from deployments.tasks.webhook import Answer
from deployments.tasks.webhook_calls import delivered_together
from deployments.tasks.webhooks import WebhookCall
from deployments.tasks.work import Work


class Uploader(Stage):
    """Marks the finished picture with its origin, and PUTs it to the caller's pre-signed URL.

    Beside that, it makes the tries of webhooks, and erases what is to be erased outside the journal.
    """

    def __init__(self, settings: Settings, build: str) -> None:
        super().__init__(settings, build)
        self._webhooks = WebhookSender(open_webhook_egress(self.environment), self.environment.webhook_secrets)
        self._erasing = Erasing(open_store(settings, self.environment), self._engine)
        self._signer = open_signer(settings, self.environment)

    async def run(self, work: Work, run: StepContext) -> Work:
        """The work without its picture, once the upload has been acknowledged.

        Raises:
            UploadFailed, UploadUrlExpired: nobody took it.
            NotSigned: it could not be marked, so that it goes nowhere.
        """
        data = await run.bytes_of(work.needed_picture())
        if self._signer is not None:
            mark = partial(self._marked, self._signer, data, work)
            data = mark() if is_quickly_signed(data, work.ingredients) else await asyncio.to_thread(mark)
        job = work.job
        await upload(self.egress, job.write_url, data, read_url=job.read_url, deadline=run.seconds_left)
        return work.delivered()

    async def deliver(self, calls: Sequence[WebhookCall]) -> Answers[Answer]:
        """Makes all tries at once, and yields each answer as it comes. Called by TaskStatus."""
        async for answers in delivered_together(calls, self._webhooks.send):
            yield answers

    async def erase(self, what: Elsewhere) -> ErasedElsewhere:
        """See `Erasing`. Called by TaskStatus."""
        return await self._erasing.erase(what)

    def _engine(self, name: str) -> Engine:
        return chosen_engines(self.settings, self.environment).made(name, self.egress, self.limits)

    def _marked(self, signer: Signer, data: bytes, work: Work) -> bytes:
        statement = statement_of(work)
        whole = replace(self.limits, bytes=sys.maxsize)  # it was weighed when it came in
        return signer.signed(stamped(data, statement.source, whole), statement)
