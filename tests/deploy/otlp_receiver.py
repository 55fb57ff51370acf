"""A collector of OpenTelemetry's traces on loopback, which keeps what it is sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """One span, and the process that told it. Ids are in hexadecimal digits; a root's parent is empty."""

    name: str
    trace: str
    span: str
    parent: str
    kind: str
    failed: bool
    seconds: float
    attributes: dict[str, str | int]
    told_by: str


@dataclass
class OtlpReceiver:
    """`url` is what `OTEL_EXPORTER_OTLP_ENDPOINT` names."""

    url: str = ""
    spans: list[Received] = field(default_factory=list)

    def of(self, trace: str) -> list[Received]:
        """The spans of a trace so far."""
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told_by = {one.key: one.value.string_value for one in resource.resource.attributes}["service.instance.id"]
            self.spans += [_received(span, told_by) for scope in resource.scope_spans for span in scope.spans]


def _received(span: Span, told_by: str) -> Received:
    return Received(
        name=span.name,
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        failed=span.status.code == 2,
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        attributes={one.key: one.value.string_value or one.value.int_value for one in span.attributes},
        told_by=told_by,
    )


@contextmanager
def receiving() -> Iterator[OtlpReceiver]:
    """A running one."""
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
