"""A tracer that keeps its spans, for tests."""

from deployments.spans import Span, SpanContext


class KeptSpans:
    """See `deployments.spans.Tracer`."""

    def __init__(self, *, sampled: bool = True) -> None:
        self.spans: list[Span] = []
        self._sampled = sampled

    def samples(self, _trace_id: int, _parent: SpanContext | None, _name: str) -> bool:
        return self._sampled

    def record(self, span: Span) -> None:
        self.spans.append(span)
