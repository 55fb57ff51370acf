"""Traces: one for each task, from the request that starts it to its end, through all processes and attempts.

A span is told once it has ended. Ids follow from the task's own, so any process can name the span that another one
tells: the TaskStatus that ends a task may be the successor of the one that accepted it.

    accept avatar           the request; its parent is the caller's span, where `traceparent` names one
    └── avatar              the task, from its acceptance to its end
        ├── attempt 1       only where it was lost
        ├── wait STEP       from when the step was due to when a stage began it
        └── STEP            what a stage did
            └── generate_content MODEL      what an engine did for it

Traces are on where `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing of OpenTelemetry is imported.
"""

import os
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from typing import NamedTuple, Protocol, Self

from deployments.errors import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = 1


class SpanContext(NamedTuple):
    """A span's place: its trace, its own id, and whether it is recorded (W3C Trace Context, `traceparent`)."""

    trace_id: int
    span_id: int
    sampled: bool = True

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The context that a `traceparent` header names; None where it names none."""
        found = _TRACEPARENT.fullmatch(text.strip())
        if found is None or text.strip().startswith("ff"):
            return None
        trace_id, span_id, flags = (int(part, 16) for part in found.groups())
        return cls(trace_id, span_id, bool(flags & _SAMPLED)) if trace_id and span_id else None

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"

    def child(self, span_id: int | None = None) -> Self:
        """Another span of this trace."""
        return self._replace(span_id=span_id or new_id())


class SpanKind(StrEnum):
    """As OpenTelemetry has them: what is asked, what asks, and what is neither."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"
    INTERNAL = "INTERNAL"


class Span(NamedTuple):
    """What went on from `start` to `end`; `error` is a code where it failed. Attributes hold no prompt and no URL."""

    name: str
    context: SpanContext
    parent: SpanContext | None
    start: datetime
    end: datetime
    attributes: Mapping[str, str | int]
    kind: SpanKind = SpanKind.INTERNAL
    error: str | None = None


class Tracer(Protocol):
    """Where spans go. Never waits, and never raises."""

    def samples(self, trace_id: int, parent: SpanContext | None, name: str) -> bool:
        """Whether a trace that begins here is recorded: `OTEL_TRACES_SAMPLER` says so, and the caller."""
        ...

    def record(self, span: Span) -> None: ...


class StepTrace(NamedTuple):
    """What a stage needs to trace a step: the span of the request that started the task, and when the step was due."""

    accepted: SpanContext
    due: datetime


submission: ContextVar[SpanContext | None] = ContextVar("submission", default=None)
"""The span of the request that is being accepted."""


def task_span(task_id: str, accepted: SpanContext) -> SpanContext:
    """The task's own span, whichever process asks; `accepted` is what its `traceparent` names."""
    return accepted.child(int(task_id.replace("-", "")[:16], 16) or 1)


def new_id(bits: int = 64) -> int:
    """A random id; 0 means none."""
    return secrets.randbits(bits) or 1


def are_on(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment asks for traces.

    Raises:
        SettingsError: it does, and the exporter is not installed.
    """
    asked = next((name for name in ENDPOINTS if environment.get(name)), None)
    if asked is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if not _is_installed("opentelemetry.exporter.otlp.proto.http"):
        raise SettingsError(f"{asked}: traces need the exporter; install it with pip install 'aige[traces]'")
    return True


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package that it lies in
        return False
