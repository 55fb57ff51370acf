"""Spans to an OpenTelemetry collector, by OTLP over HTTP. Imported only where traces are on."""

import os
import socket
from datetime import UTC, datetime, timedelta

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision

from deployments.settings import VERSION
from deployments.spans import Span, SpanContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Ids(IdGenerator):
    """Gives each span the ids that it was made with; all spans are made on one thread."""

    def __init__(self) -> None:
        self.next = SpanContext(1, 1)

    def generate_trace_id(self) -> int:
        return self.next.trace_id

    def generate_span_id(self) -> int:
        return self.next.span_id


class OtlpTracer:
    """See `Tracer`. A thread sends the spans; what a collector does not take is dropped.

    The standard variables `OTEL_…` set the endpoint, headers, sampler and batches; `exporter` is for tests.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        resource = Resource.create(
            {
                SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "aige"),
                SERVICE_VERSION: VERSION,
                SERVICE_INSTANCE_ID: f"{socket.gethostname()}/{os.getpid()}",
            }
        )
        self._ids = _Ids()
        self._provider = TracerProvider(resource=resource, id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("aige", VERSION)

    def samples(self, trace_id: int, parent: SpanContext | None, name: str) -> bool:
        """See `Tracer`."""
        result = self._provider.sampler.should_sample(_context_of(parent), trace_id, name)
        return result.decision is Decision.RECORD_AND_SAMPLE

    def record(self, span: Span) -> None:
        """See `Tracer`."""
        self._ids.next = span.context
        made = self._tracer.start_span(
            span.name,
            context=_context_of(span.parent),
            kind=trace.SpanKind[span.kind],
            attributes=span.attributes,
            start_time=_nanoseconds(span.start),
        )
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(trace.StatusCode.ERROR)
        made.end(_nanoseconds(span.end))

    def flush(self) -> None:
        """Sends what waits, and returns once it is sent."""
        self._provider.force_flush()


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1_000


def _context_of(parent: SpanContext | None) -> Context:
    if parent is None:
        return Context()
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent.sampled else trace.TraceFlags.DEFAULT)
    context = trace.SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(context), Context())
