"""Tries of webhooks: one POST each, through the outbound guard."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from deployments.api.webhook_message import body_of, headers_of
from deployments.media.destinations import NoAnswer, Refused
from deployments.media.egress import BODY_TO_SKIP, BodyToSkip, Egress, reason_for
from deployments.media.open_media import WEBHOOK_SECONDS
from deployments.tasks.log_context import task_context
from deployments.tasks.record import now
from deployments.tasks.webhook import Answer
from deployments.tasks.webhooks import WebhookCall

logger = logging.getLogger(__name__)

NO_SECRET = "this service has no webhook secret"  # noqa: S105 - that is what it says
OUR_FAULT = "a fault of this service"


class WebhookSender:
    """Signs with all `secrets`, and sends through `egress`, which it alone uses."""

    def __init__(
        self,
        egress: Egress,
        secrets: Sequence[bytes],
        *,
        clock: Callable[[], datetime] = now,
        patience_s: float = WEBHOOK_SECONDS,
        read: BodyToSkip = BODY_TO_SKIP,
    ) -> None:
        self._egress = egress
        self._secrets = secrets
        self._clock = clock
        self._patience_s = patience_s
        self._read = read

    async def send(self, call: WebhookCall) -> Answer:
        """Makes one try: the status of its answer; or why there was none, in a few words that name no host."""
        with task_context(call.task.id):
            return await self._answer(call)

    async def _answer(self, call: WebhookCall) -> Answer:
        if not self._secrets:
            return NO_SECRET
        try:
            body = body_of(call.task)
            headers = headers_of(call.task, self._clock(), body, self._secrets)
            return await self._egress.post(call.url, body, headers, seconds=self._patience_s, read=self._read)
        except (Refused, NoAnswer, TimeoutError) as error:
            return reason_for(error)
        except Exception:
            logger.exception("A webhook could not be sent.")
            return OUR_FAULT
