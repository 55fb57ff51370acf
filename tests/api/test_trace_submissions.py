"""The span of a request that starts a task."""

from dataclasses import replace

import httpx
import pytest

from deployments.api.app import Parts, build_api
from deployments.spans import SpanContext, SpanKind
from tests.api.in_process import BASE, InProcess
from tests.api.requests import send
from tests.kept_spans import KeptSpans

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def client_of(parts: Parts, tracer: KeptSpans, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_api(replace(parts, tracer=tracer)))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def test_a_submission_is_a_child_of_its_callers_span(parts: Parts, backend: InProcess) -> None:
    """In its caller's trace; the backend is told of the span."""
    tracer = KeptSpans()
    async with client_of(parts, tracer, traceparent=CALLER) as client:
        assert (await send(client, "avatar")).status_code == 201
        assert (await send(client, "background")).status_code == 200
    avatar, background = tracer.spans
    assert (avatar.name, background.name) == ("accept avatar", "accept background")
    assert avatar.parent == SpanContext.parse(CALLER)
    assert avatar.parent is not None
    assert avatar.context.trace_id == avatar.parent.trace_id
    assert avatar.context.span_id not in {avatar.parent.span_id, background.context.span_id}
    assert backend.submissions == [avatar.context, background.context]
    assert (avatar.kind, avatar.error) == (SpanKind.SERVER, None)
    assert avatar.attributes == {"http.request.method": "POST", "http.response.status_code": 201}


async def test_without_a_caller_a_trace_begins(parts: Parts) -> None:
    """Also where the header makes no sense."""
    tracer = KeptSpans()
    async with client_of(parts, tracer, traceparent="nonsense") as client:
        await send(client, "avatar")
        await send(client, "avatar")
    first, second = tracer.spans
    assert first.parent is second.parent is None
    assert first.context.trace_id != second.context.trace_id


async def test_what_is_refused_is_traced_too(parts: Parts, backend: InProcess) -> None:
    """A request that breaks is an error; one that is wrong is its caller's."""
    tracer = KeptSpans()
    async with client_of(parts, tracer) as client:
        await send(client, "avatar", prompt="")
        backend.away = True
        await send(client, "avatar")
    assert [(span.attributes["http.response.status_code"], span.error) for span in tracer.spans] == [
        (400, None),
        (503, "503"),
    ]


async def test_reads_and_what_is_not_sampled_are_not_traced(parts: Parts, backend: InProcess) -> None:
    """Reads are the hottest path."""
    tracer = KeptSpans(sampled=False)
    async with client_of(parts, tracer, traceparent=CALLER) as client:
        task_id = (await send(client, "avatar")).json()["aige_task_id"]
        await client.get(f"/api/v1/task/{task_id}/status")
    assert tracer.spans == []
    assert backend.submissions == [None]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/avatar/ada%40example.org"),
        ("POST", "/api/v1/avatar/ada/background"),
        ("PUT", "/api/v1/avatar/ada/lovelace/background"),
        ("POST", "/api/v1/avatars"),
    ],
)
async def test_what_starts_no_task_is_not_traced(parts: Parts, method: str, path: str) -> None:
    """A path may hold a person's name, which no trace may."""
    tracer = KeptSpans()
    async with client_of(parts, tracer, traceparent=CALLER) as client:
        assert (await client.request(method, path)).status_code in {404, 405}
    assert tracer.spans == []
