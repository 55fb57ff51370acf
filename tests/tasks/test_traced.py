"""The spans that TaskStatus tells."""

from dataclasses import replace
from datetime import timedelta

from deployments.errors import ErrorCode
from deployments.spans import SpanContext, StepTrace, task_span
from deployments.tasks.record import Failure, Status, Task
from deployments.tasks.traced import step_trace, trace_end, trace_loss
from deployments.tasks.work import Outcome, StepRequest
from tests.kept_spans import KeptSpans
from tests.tasks.in_process import AT, end_of, orchestrator, task_and_work

ID = "6f0d3a5e-6c51-4a8e-9a0e-2a7b6b1f6d4c"
ACCEPTED = SpanContext(0xA, 0xB)
LATER = AT + timedelta(seconds=9)


def traced() -> Task:
    return replace(task_and_work(ID)[0], traceparent=str(ACCEPTED)).attempted()


def test_a_tasks_span_lasts_from_acceptance_to_end() -> None:
    """It is the child of the request; an error says which."""
    tracer = KeptSpans()
    trace_end(tracer, traced().finished(1, LATER))
    trace_end(tracer, traced().failed(Failure(ErrorCode.CANCELLED, "It was."), LATER))
    done, failed = tracer.spans
    assert (done.name, done.context, done.parent) == ("background", task_span(ID, ACCEPTED), ACCEPTED)
    assert (done.start, done.end, done.error, failed.error) == (AT, LATER, None, "cancelled")
    assert done.attributes == {"aige.task_id": ID, "aige.attempts": 1, "aige.engine": "local"}


def test_a_lost_attempts_span_lasts_from_its_last_status_to_its_loss() -> None:
    """Whoever tells it: the orchestrator, or its successor."""
    tracer = KeptSpans()
    trace_loss(tracer, traced().advanced(1, Status.UPLOADING_IMAGE, LATER), LATER + timedelta(seconds=1))
    (lost,) = tracer.spans
    assert (lost.name, lost.parent, lost.error) == ("attempt 1", task_span(ID, ACCEPTED), "process_lost")
    assert (lost.start, lost.end) == (LATER, LATER + timedelta(seconds=1))


def test_an_untraced_task_has_no_spans() -> None:
    """Nor do its steps."""
    tracer, task = KeptSpans(), replace(traced(), traceparent=None)
    trace_end(tracer, task.finished(1, LATER))
    trace_loss(tracer, task)
    assert tracer.spans == []
    assert step_trace(task, AT) is None


async def test_every_step_of_a_traced_task_knows_its_trace() -> None:
    """In each attempt, after a loss too."""
    asked = list[StepTrace | None]()

    async def run(request: StepRequest) -> Outcome:
        asked.append(request.trace)
        if len(asked) == 1:
            raise ConnectionError("the replica died")
        return request.work

    a = orchestrator(run)
    task, work = task_and_work()
    await a.submit(replace(task, traceparent=str(ACCEPTED)), work)
    await end_of(a)
    assert [trace and trace.accepted for trace in asked] == [ACCEPTED] * 3
