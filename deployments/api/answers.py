"""The bodies of the API's answers, as the caller reads them.

Names stand as the API documents them, `readUrl` in camel case.
"""

from datetime import datetime
from itertools import zip_longest
from typing import Self

from pydantic import BaseModel, Field

from deployments.errors import ErrorCode
from deployments.media.provenance.report import Report
from deployments.tasks.erasure import ErasureReport
from deployments.tasks.operations import STAGE_OF
from deployments.tasks.record import Operation, Status, Task
from deployments.tasks.webhook import Webhook, WebhookState


class Accepted(BaseModel):
    """The task has been accepted; its work goes on after this answer."""

    aige_task_id: str
    avatar_id: str


class StatusResponse(BaseModel):
    """Where the task stands."""

    aige_task_id: str
    status: Status


class ErrorResponse(BaseModel):
    """Why the task ended in `error`, and what its caller can do."""

    code: ErrorCode
    message: str


class MomentResponse(BaseModel):
    """A status and when it was first shown."""

    status: Status
    at: datetime


class ChargeResponse(BaseModel):
    """What a stage's provider charges: `units` as it bills `model`; null where it does not say."""

    stage: str
    model: str
    units: float | None
    amount: float | None = Field(description="What that is in money; null where the operator has set no price for it.")


class MakerResponse(BaseModel):
    """Which engine did a stage's work, and with which model; null where the engine has none."""

    stage: str
    engine: str
    model: str | None


class LastTryResponse(BaseModel):
    """A try of a webhook: when it ended, and the status that was answered; or why there was none."""

    at: datetime
    answer: int | str


class WebhookResponse(BaseModel):
    """The state of the task's webhook: waiting, delivered or given up."""

    state: WebhookState
    tries: int
    last: LastTryResponse | None

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        last = LastTryResponse(at=webhook.last.at, answer=webhook.last.answer) if webhook.last else None
        return cls(state=webhook.state, tries=webhook.tries, last=last)


class TaskResponse(BaseModel):
    """The whole task."""

    aige_task_id: str
    avatar_id: str
    operation: Operation
    status: Status
    readUrl: str | None = Field(description="Null until the task is done.")  # noqa: N815
    error: ErrorResponse | None
    timeline: list[MomentResponse]
    attempts: int
    engine: str = Field(description="The engine that made all of it; `mixed` where there were several.")
    made_by: list[MakerResponse] = Field(description="One entry for each engine that made pixels, in order.")
    notes: list[str]
    progress: str | None = Field(description="What the provider says of the running stage.")
    cost: list[ChargeResponse]
    webhook: WebhookResponse | None = Field(description="Null where no webhookUrl was sent.")

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls(
            aige_task_id=task.id,
            avatar_id=task.avatar_id,
            operation=task.operation,
            status=task.status,
            readUrl=task.read_url if task.status is Status.DONE else None,
            error=ErrorResponse(code=task.error.code, message=task.error.message) if task.error else None,
            timeline=[MomentResponse(status=status, at=at) for status, at in task.timeline],
            attempts=task.attempts,
            engine=task.shown_engine,
            made_by=[
                MakerResponse(stage=STAGE_OF.get(m.step, m.step), engine=m.engine, model=m.model) for m in task.made_by
            ],
            notes=list(task.notes),
            progress=task.progress,
            cost=[
                ChargeResponse(
                    stage=STAGE_OF.get(c.step, c.step),
                    model=c.model,
                    units=c.units,
                    amount=None if amount is None else float(amount),
                )
                for c, amount in zip_longest(task.charges, task.amounts[: len(task.charges)])
            ],
            webhook=WebhookResponse.of(task.webhook) if task.webhook else None,
        )


class TaskListResponse(BaseModel):
    """A page of tasks, the newest first."""

    tasks: list[TaskResponse]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class ProviderErasureResponse(BaseModel):
    """Whether a provider has deleted what it keeps of a request; false where it has no way to do so."""

    engine: str
    request: str
    deleted: bool


class ErasureResponse(BaseModel):
    """How many tasks, and how many objects of the built-in store, were erased. A bucket of your own is untouched."""

    avatar_id: str
    tasks: int
    objects: int
    provider: list[ProviderErasureResponse]

    @classmethod
    def of(cls, avatar_id: str, report: ErasureReport) -> Self:
        provider = [
            ProviderErasureResponse(engine=request.engine, request=request.receipt, deleted=deleted)
            for request, deleted in report.requests
        ]
        return cls(avatar_id=avatar_id, tasks=report.tasks, objects=report.objects, provider=provider)


class PresignResponse(BaseModel):
    """Where to PUT the object and where to GET it; `expires_at` is the end of the write URL."""

    key: str
    writeUrl: str  # noqa: N815
    readUrl: str  # noqa: N815
    expires_at: datetime


class LimitsResponse(BaseModel):
    """What a caller may ask for."""

    body_bytes: int
    picture_bytes: int
    picture_pixels: int
    source_images: int
    tasks_in_flight: int
    redirects: int


class EnginesResponse(BaseModel):
    """Engines by what they make, in the order in which they are tried."""

    portrait: list[str]
    background: list[str]
    cut_out: list[str]
    blend: list[str] = Field(description="Empty where nothing is blended.")


class ServiceResponse(BaseModel):
    """What this server is."""

    version: str
    engine: str = Field(description="The one engine of all, or `mixed`.")
    engines: EnginesResponse
    generative: bool = Field(description="Whether generative models make portraits and backgrounds.")
    blends: bool = Field(description="Whether an engine blends the person and the background of an overlay.")
    webhooks: bool = Field(description="Whether a webhookUrl may be sent.")
    operator: bool = Field(description="Whether you may read `GET /operator/events`.")
    limits: LimitsResponse


class MadeByResponse(BaseModel):
    """An engine, or the software that somebody else's manifest names, and its model; null where it names none."""

    engine: str
    model: str | None


class IngredientResponse(BaseModel):
    """What a picture's credentials say of one that it was made of; `valid` is false where that had none."""

    title: str
    issuer: str | None
    valid: bool
    digital_source_type: str | None


class VerifyResponse(BaseModel):
    """What a picture's content credentials (C2PA) say."""

    signed: bool = Field(description="Whether it has any.")
    valid: bool = Field(description="Whether nothing was changed since it was signed.")
    issuer: str | None = Field(description="The organisation in the signer's certificate.")
    trusted: bool = Field(description="Whether the signer is on this server's trust list.")
    digital_source_type: str | None = Field(description="The short name of an IPTC digital source type.")
    made_by: list[MadeByResponse]
    ingredients: list[IngredientResponse]
    problems: list[str] = Field(description="C2PA's codes. An untrusted signer is not listed as a problem.")

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            signed=report.signed,
            valid=report.valid,
            issuer=report.issuer,
            trusted=report.trusted,
            digital_source_type=report.digital_source_type,
            made_by=[MadeByResponse(engine=maker.engine, model=maker.model) for maker in report.made_by],
            ingredients=[
                IngredientResponse(
                    title=i.title, issuer=i.issuer, valid=i.valid, digital_source_type=i.digital_source_type
                )
                for i in report.ingredients
            ],
            problems=list(report.problems),
        )


class FieldError(BaseModel):
    """One thing wrong with the request."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(BaseModel):
    """A problem document, RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = Field(default=None, description="Only where a field of the request is wrong.")
