"""Spans as a collector gets them."""

from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from deployments.otlp import OtlpTracer
from deployments.spans import Span, SpanContext, SpanKind

AT = datetime(2026, 1, 1, 12, 30, 0, 250000, tzinfo=UTC)
CALLER = SpanContext(0xA, 0xB)


def test_a_span_has_the_ids_and_times_that_it_was_told_with() -> None:
    """Whatever else is told in between."""
    exporter = InMemorySpanExporter()
    tracer = OtlpTracer(exporter)
    own = CALLER.child(0xC)
    tracer.record(
        Span(
            "upload", own, CALLER, AT, AT + timedelta(seconds=2), {"aige.attempt": 1}, SpanKind.CLIENT, "upload_failed"
        )
    )
    tracer.record(Span("root", SpanContext(0xD, 0xE), None, AT, AT, {}))
    tracer.flush()
    upload, root = exporter.get_finished_spans()
    assert upload.context is not None
    assert upload.parent is not None
    assert (upload.name, upload.kind.name) == ("upload", "CLIENT")
    assert (upload.context.trace_id, upload.context.span_id, upload.parent.span_id) == (0xA, 0xC, 0xB)
    assert (upload.start_time, upload.end_time) == (1767270600250000000, 1767270602250000000)
    assert dict(upload.attributes or {}) == {"aige.attempt": 1, "error.type": "upload_failed"}
    assert upload.status.status_code is StatusCode.ERROR
    assert upload.resource.attributes["service.name"] == "aige"
    assert root.context is not None
    assert (root.parent, root.context.trace_id, root.context.span_id) == (None, 0xD, 0xE)
    assert root.status.status_code is StatusCode.UNSET


def test_a_caller_that_does_not_sample_is_heard() -> None:
    """By default, a trace is recorded unless its caller says that it is not."""
    tracer = OtlpTracer(InMemorySpanExporter())
    assert tracer.samples(1, None, "accept avatar")
    assert tracer.samples(0xA, CALLER, "accept avatar")
    assert not tracer.samples(0xA, CALLER._replace(sampled=False), "accept avatar")
