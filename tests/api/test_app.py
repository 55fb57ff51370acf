"""The API against its own OpenAPI document, with requests that nobody thought of; and what that document must say."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode, HookContext
from starlette.types import ASGIApp

from deployments.api.app import Parts, build_api
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings
from tests.api.conftest import BASE, InProcess

AnyCase = Case[Any]
PUBLIC_URL = "https://store.example/object"

SUBMISSION = {400, 401, 409, 413, 500, 503}
QUESTION = {401, 404, 500, 503}
STATUSES = {
    "POST /api/v1/avatar": {201} | SUBMISSION,
    "PUT /api/v1/avatar/{avatar_id}/background": {200} | SUBMISSION,
    "PUT /api/v1/avatar/{avatar_id}/overlay": {200} | SUBMISSION,
    "GET /api/v1/task/{aige_task_id}/status": {200} | QUESTION,
    "GET /api/v1/task/{aige_task_id}": {200} | QUESTION,
    "DELETE /api/v1/task/{aige_task_id}": {202, 409} | QUESTION,
    "GET /api/v1/task/{aige_task_id}/events": {200, 204} | QUESTION,
    "POST /api/v1/storage/presign": {200, 400, 401, 413, 500},
    "PUT /api/v1/storage/objects/{key}": {200, 403, 404, 413, 500, 503},
    "GET /api/v1/storage/objects/{key}": {200, 403, 404, 500, 503},
    "GET /api/v1/service": {200, 401, 500},
}


def _api(folder: Path) -> ASGIApp:
    config = Settings()
    store = BuiltinStore(folder, b"secret", max_bytes=config.limits.picture_bytes)
    return build_api(Parts(settings=config, backend=InProcess(config), store=store, engine="local", generative=False))


async def _document() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_api(Path(folder))), base_url=BASE) as client:
            document: dict[str, Any] = (await client.get("/openapi.json")).json()
            return document


DOCUMENT = asyncio.run(_document())  # now: its routes are the parameters of a test

schema = schemathesis.openapi.from_dict(DOCUMENT)
# No NUL characters: no schema can forbid them, and they are a 400.
schema.config.generation.update(deterministic=True, allow_x00=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the application on a real server in this process, so that headers and streams are real too."""
    server = uvicorn.Server(uvicorn.Config(_api(tmp_path_factory.mktemp("objects")), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@schema.hook("filter_case")
def _can_be_sent(_: HookContext, case: AnyCase) -> bool:
    """No client can send a path with `.` or `..` in it: URLs are made normal first."""
    ids = [*case.path_parameters.values(), case.body.get("avatar_id") if isinstance(case.body, dict) else None]
    return not any(value in {".", ".."} for value in ids if isinstance(value, str))


@schema.hook("map_case")
def _make_acceptable(_: HookContext, case: AnyCase) -> AnyCase:
    """What no schema can say: which URLs are public, and that both avatar ids are one."""
    positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if positive and isinstance(case.body, dict) and "writeUrl" in case.body:
        body = case.body
        body.update(writeUrl=PUBLIC_URL, readUrl=PUBLIC_URL)
        if isinstance(photos := body.get("source_images"), list):
            body["source_images"] = [PUBLIC_URL for _ in photos]
        if isinstance(params := body.get("params"), dict):
            params.update(person=PUBLIC_URL, background=PUBLIC_URL)
        if "avatar_id" in case.path_parameters:
            case.path_parameters["avatar_id"] = quote(str(body["avatar_id"]), safe="")
    return case


@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: AnyCase, served: str) -> None:
    """Statuses, media types, bodies and headers; what fits the document is accepted, and what does not is refused."""
    case.call_and_validate(base_url=served)


def test_each_route_documents_the_statuses_that_it_answers() -> None:
    """Those of the contract, no more and no fewer."""
    documented = {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"]}
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert documented == STATUSES


def test_each_error_is_documented_as_a_problem_document() -> None:
    """In the media type that is sent, with the one shape."""
    expected = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert response["content"] == expected


def test_no_422_is_left_anywhere() -> None:
    """FastAPI's own answer to an invalid request is never sent."""
    text = json.dumps(DOCUMENT)
    assert '"422"' not in text
    assert "ValidationError" not in text


async def test_the_docs_page_loads(client: httpx.AsyncClient) -> None:
    """And it shows this document."""
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "/openapi.json" in page.text
    assert (await client.get("/openapi.json")).json() == DOCUMENT
