"""The spans that a stage tells."""

from datetime import timedelta
from typing import cast

import pytest

from deployments.engines.base import Cost, Engine, Made, PaidCall
from deployments.engines.memory_call import MemoryCall
from deployments.errors import ErrorCode, NoPersonFound
from deployments.media.picture import Picture
from deployments.runtime.tracing import StepSpans, open_tracer
from deployments.spans import SpanContext, SpanKind, StepTrace, task_span
from deployments.tasks.record import Failure
from deployments.tasks.work import StepRequest
from tests.kept_spans import KeptSpans
from tests.tasks.in_process import AT, task_and_work

ID = "6f0d3a5e-6c51-4a8e-9a0e-2a7b6b1f6d4c"
ACCEPTED = SpanContext(0xA, 0xB)
TASK = task_span(ID, ACCEPTED)


class Named:
    """An engine of which nothing but its name counts."""

    name = "fal"


ENGINE = cast(Engine, Named())


def spans_of(tracer: KeptSpans) -> StepSpans:
    """Of a step that was due at `AT`; the clock, read for the first time a second later, goes by seconds."""
    times = (AT + timedelta(seconds=second) for second in range(1, 100))
    traced = StepTrace(ACCEPTED, AT)
    return StepSpans(tracer, StepRequest(task_and_work(ID)[1], "upload", 2, {}, traced), traced, lambda: next(times))


def test_a_step_waits_and_runs() -> None:
    """Both are the task's; the attempt is told."""
    tracer = KeptSpans()
    spans_of(tracer).ended(task_and_work(ID)[1])
    spans_of(tracer).ended(Failure(ErrorCode.UPLOAD_FAILED, "Nobody took it."))
    wait, ran, _, failed = tracer.spans
    assert [(span.name, span.parent) for span in (wait, ran)] == [("wait upload", TASK), ("upload", TASK)]
    assert [(span.end - span.start).total_seconds() for span in (wait, ran)] == [1, 1]
    assert (ran.attributes, ran.error) == ({"aige.task_id": ID, "aige.attempt": 2}, None)
    assert failed.error == "upload_failed"


async def test_an_engines_call_tells_model_and_receipt() -> None:
    """By the names of OpenTelemetry's GenAI conventions; it is the step's child."""
    tracer = KeptSpans()
    spans = spans_of(tracer)

    async def ask(_engine: Engine, call: PaidCall) -> Made:
        await call.submit(receipt)
        return Made(Picture(data=b""), cost=Cost("fal-ai/flux", 1))

    async def receipt() -> str:
        return "fal-ai/flux/requests/7"

    await spans.asking(ask)(ENGINE, MemoryCall())
    spans.ended(task_and_work(ID)[1])
    call, _, step = tracer.spans
    assert (call.name, call.kind, call.parent) == ("generate_content fal-ai/flux", SpanKind.CLIENT, step.context)
    assert call.attributes == {
        "aige.task_id": ID,
        "aige.attempt": 2,
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": ENGINE.name,
        "gen_ai.output.type": "image",
        "gen_ai.request.model": "fal-ai/flux",
        "gen_ai.response.id": "fal-ai/flux/requests/7",
    }


async def test_an_engine_that_fails_is_told_with_its_code() -> None:
    """And the failure goes on; a receipt that is a whole picture is no id."""
    tracer = KeptSpans()

    async def ask(_engine: Engine, _call: PaidCall) -> Made:
        raise NoPersonFound("Send another photo.")

    with pytest.raises(NoPersonFound, match="Send another photo"):
        await spans_of(tracer).asking(ask)(ENGINE, MemoryCall(receipt="x" * 10_000))
    (call,) = tracer.spans
    assert (call.name, call.error) == (f"generate_content {ENGINE.name}", "no_person_found")
    assert "gen_ai.response.id" not in call.attributes


def test_without_an_endpoint_there_is_no_tracer() -> None:
    """The tests' own environment sets none."""
    assert open_tracer() is None
