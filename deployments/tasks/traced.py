"""The spans of a task that TaskStatus tells: the task as a whole, and each attempt at it that was lost."""

from datetime import datetime

from deployments.spans import Span, SpanContext, StepTrace, Tracer, task_span
from deployments.tasks.record import Task, now


def step_trace(task: Task, due: datetime) -> StepTrace | None:
    """What a stage needs to trace a step of the task; None where it is not traced."""
    accepted = _accepted(task)
    return StepTrace(accepted, due) if accepted else None


def trace_end(tracer: Tracer, task: Task) -> None:
    """Tells the span of a task that has ended."""
    if (accepted := _accepted(task)) is None:
        return
    attributes: dict[str, str | int] = {
        "aige.task_id": task.id,
        "aige.attempts": task.attempts,
        "aige.engine": task.shown_engine,
    }
    start, end = task.timeline[0].at, task.timeline[-1].at
    error = task.failure.code if task.failure else None
    tracer.record(Span(task.operation, task_span(task.id, accepted), accepted, start, end, attributes, error=error))


def trace_loss(tracer: Tracer, task: Task, at: datetime | None = None) -> None:
    """Tells the span of the task's newest attempt, which was lost: from the last status that it showed on."""
    if (accepted := _accepted(task)) is None:
        return
    whole = task_span(task.id, accepted)
    attributes: dict[str, str | int] = {"aige.task_id": task.id, "aige.attempt": task.attempts}
    tracer.record(
        Span(
            f"attempt {task.attempts}",
            whole.child(),
            whole,
            task.timeline[-1].at,
            at or now(),
            attributes,
            error="process_lost",
        )
    )


def _accepted(task: Task) -> SpanContext | None:
    return SpanContext.parse(task.traceparent) if task.traceparent else None
