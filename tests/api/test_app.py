"""The whole application against its own OpenAPI document, with requests that nobody thought of."""

import asyncio
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
from tests.api.in_process import BASE, LOCAL, InProcess

AnyCase = Case[Any]
PUBLIC_URL = "https://store.example/object"


def _api(folder: Path) -> ASGIApp:
    config = Settings()
    store = BuiltinStore(folder, b"secret", max_bytes=config.limits.picture_bytes)
    return build_api(Parts(settings=config, backend=InProcess(config), store=store, engines=LOCAL))


async def _document() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_api(Path(folder))), base_url=BASE) as client:
            document: dict[str, Any] = (await client.get("/openapi.json")).json()
            return document


DOCUMENT = asyncio.run(_document())  # now: its routes are the parameters of a test
# The operator's event stream never ends; `test_operator_routes.py` reads it.
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/v1/operator/events")
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
    """What no schema can say: which URLs are public, that both avatar ids are one, and which cursors were given."""
    positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if positive and case.query:
        case.query.pop("cursor", None)
    if positive and isinstance(case.body, dict) and "writeUrl" in case.body:
        body = case.body
        body.update(writeUrl=PUBLIC_URL, readUrl=PUBLIC_URL)
        body.pop("webhookUrl", None)  # this server has no secret
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
