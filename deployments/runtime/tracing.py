"""The tracer of a process, and the spans of a step: how long it waited, what the stage did, what each engine did."""

from collections.abc import Callable
from datetime import datetime

from deployments.engines.base import Engine, Made, PaidCall
from deployments.engines.chain import Ask
from deployments.errors import failure_of
from deployments.spans import Span, SpanKind, StepTrace, Tracer, are_on, task_span
from deployments.tasks.record import Failure, now
from deployments.tasks.work import Outcome, StepRequest

LONGEST_RECEIPT = 256
"""Characters. An answer of OpenAI's API is a receipt too, and holds the picture: it is no id."""


def open_tracer() -> Tracer | None:
    """The tracer of this process; None where traces are off."""
    if not are_on():
        return None
    from deployments.otlp import OtlpTracer  # here: it imports OpenTelemetry

    return OtlpTracer()


class StepSpans:
    """The spans of one request; make it as the step begins."""

    def __init__(
        self, tracer: Tracer, request: StepRequest, traced: StepTrace, clock: Callable[[], datetime] = now
    ) -> None:
        self._tracer = tracer
        self._step = request.step
        self._due = traced.due
        self._clock = clock
        self._start = clock()
        self._attributes: dict[str, str | int] = {"aige.task_id": request.task_id, "aige.attempt": request.attempt}
        self._task = task_span(request.task_id, traced.accepted)
        self._own = self._task.child()

    def ended(self, outcome: Outcome) -> None:
        """The step has this outcome."""
        wait, error = self._task.child(), outcome.code if isinstance(outcome, Failure) else None
        began = max(self._due, self._start)  # clocks of two machines may differ
        self._tracer.record(Span(f"wait {self._step}", wait, self._task, self._due, began, self._attributes))
        self._tracer.record(
            Span(self._step, self._own, self._task, self._start, self._clock(), self._attributes, error=error)
        )

    def asking(self, ask: Ask) -> Ask:
        """`ask`, with a span for each engine that is asked."""

        async def traced(engine: Engine, call: PaidCall) -> Made:
            start, made, error = self._clock(), None, "cancelled"
            try:
                made = await ask(engine, call)
            except Exception as raised:
                error = failure_of(raised).code
                raise
            finally:
                self._told(engine, call, start, made, error)
            return made

        return traced

    def _told(self, engine: Engine, call: PaidCall, start: datetime, made: Made | None, error: str) -> None:
        model = made.by_model if made else None
        attributes = {
            **self._attributes,
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": engine.name,
            "gen_ai.output.type": "image",
        }
        if model:
            attributes["gen_ai.request.model"] = model
        if call.receipt and len(call.receipt) <= LONGEST_RECEIPT:
            attributes["gen_ai.response.id"] = call.receipt
        name = f"generate_content {model or engine.name}"
        failed = None if made else error
        self._tracer.record(
            Span(name, self._own.child(), self._own, start, self._clock(), attributes, SpanKind.CLIENT, failed)
        )
