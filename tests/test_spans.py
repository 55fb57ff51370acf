"""Traces: ids that every process can tell, and nothing of OpenTelemetry where they are off."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from deployments.spans import SpanContext, are_on, task_span

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_traceparent_is_read_and_written() -> None:
    """W3C Trace Context's own example."""
    context = SpanContext.parse(f" {CALLER} ")
    assert context == SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, sampled=True)
    assert str(context) == CALLER
    assert SpanContext.parse(CALLER[:-2] + "00") == context._replace(sampled=False)
    assert SpanContext.parse("cc" + CALLER[2:] + "-later") == context, "a later version may have more"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        CALLER.upper(),
        CALLER.replace("-", " "),
        "ff" + CALLER[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        CALLER + "\n00",
    ],
)
def test_what_names_no_span_is_none(text: str) -> None:
    """As the standard wants it: the trace begins anew."""
    assert SpanContext.parse(text) is None


def test_every_process_names_a_tasks_span_alike() -> None:
    """It follows from the ids alone, and differs from task to task."""
    accepted, ids = SpanContext(1, 2), [str(uuid4()) for _ in range(100)]
    spans = [task_span(task_id, accepted) for task_id in ids]
    assert spans == [task_span(task_id, accepted) for task_id in ids]
    assert len(set(spans)) == 100
    assert {span.trace_id for span in spans} == {1}


def test_traces_are_on_where_an_endpoint_is_set() -> None:
    """By the standard variables."""
    assert not are_on({})
    assert not are_on({"OTEL_EXPORTER_OTLP_ENDPOINT": ""})
    assert are_on({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert are_on({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    assert not are_on({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"})


def test_where_the_exporter_is_not_installed_one_line_says_what_to_do(tmp_path: Path) -> None:
    """Not even the packages that it lies in: here another `opentelemetry` stands before the installed one."""
    (tmp_path / "opentelemetry.py").touch()
    script = """
import sys
sys.path.insert(0, sys.argv[1])
from deployments.errors import SettingsError
from deployments.spans import are_on
try:
    are_on({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
except SettingsError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    asked = "OTEL_EXPORTER_OTLP_ENDPOINT: traces need the exporter; install it with pip install 'aige[traces]'\n"
    assert (ran.stdout, ran.stderr) == (asked, "")


def test_off_imports_nothing_of_opentelemetry() -> None:
    """Neither this module, nor those that would tell spans."""
    modules = "deployments.spans, deployments.tasks.traced, deployments.api.trace_submissions"
    script = f"import sys, {modules}; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
