"""What the API says of itself in `/openapi.json`."""

import json
from typing import Any

import httpx
import pytest

Document = dict[str, Any]

SUBMISSION = {400, 401, 409, 413, 429, 500, 503}
QUESTION = {401, 404, 500, 503}
STATUSES = {
    "POST /api/v1/avatar": {201} | SUBMISSION,
    "PUT /api/v1/avatar/{avatar_id}/background": {200} | SUBMISSION,
    "PUT /api/v1/avatar/{avatar_id}/overlay": {200} | SUBMISSION,
    "DELETE /api/v1/avatar/{avatar_id}": {200} | QUESTION,
    "GET /api/v1/tasks": {200, 400, 401, 500, 503},
    "GET /api/v1/task/{aige_task_id}/status": {200} | QUESTION,
    "GET /api/v1/task/{aige_task_id}": {200} | QUESTION,
    "DELETE /api/v1/task/{aige_task_id}": {202, 409} | QUESTION,
    "POST /api/v1/task/{aige_task_id}/webhook": {202, 409} | QUESTION,
    "GET /api/v1/task/{aige_task_id}/events": {200, 204} | QUESTION,
    "POST /api/v1/storage/presign": {200, 400, 401, 413, 500},
    "PUT /api/v1/storage/objects/{key}": {200, 400, 403, 404, 413, 500, 503},
    "GET /api/v1/storage/objects/{key}": {200, 403, 404, 500, 503},
    "GET /api/v1/service": {200, 401, 500},
    "POST /api/v1/verify": {200, 400, 401, 413, 500, 503},
    "GET /healthz": {200, 500},
    "GET /readyz": {200, 500, 503},
    "GET /api/v1/operator": {200, 401, 403, 500, 503},
    "GET /api/v1/operator/events": {200, 401, 403, 500, 503},
}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Document:
    document: Document = (await client.get("/openapi.json")).json()
    return document


def test_each_route_documents_the_statuses_that_it_answers(document: Document) -> None:
    """Those of the contract, no more and no fewer."""
    documented = {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert documented == STATUSES


def test_each_error_is_documented_as_a_problem_document(document: Document) -> None:
    """In the media type that is sent, with the one shape."""
    expected = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert response["content"] == expected


def test_the_built_in_store_says_what_its_urls_take_and_give(document: Document) -> None:
    """Both carry a signature; one takes bytes, the other gives them. Else a generated client could do neither."""
    store = document["paths"]["/api/v1/storage/objects/{key}"]
    bytes_of_any_type = {"schema": {"type": "string", "format": "binary"}}
    for operation in store.values():
        assert {(told["name"], told["in"], told["required"]) for told in operation["parameters"]} == {
            ("key", "path", True),
            ("expires", "query", True),
            ("signature", "query", True),
        }
    assert store["put"]["requestBody"] == {"required": True, "content": {"*/*": bytes_of_any_type}}
    given = store["get"]["responses"]["200"]["content"]
    assert set(given) == {"image/png", "image/jpeg", "image/webp", "application/octet-stream"}
    assert all(content == bytes_of_any_type for content in given.values())


def test_no_422_is_left_anywhere(document: Document) -> None:
    """FastAPI's own answer to an invalid request is never sent."""
    text = json.dumps(document)
    assert '"422"' not in text
    assert "ValidationError" not in text


async def test_the_docs_page_loads(client: httpx.AsyncClient) -> None:
    """And it shows the document."""
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "/openapi.json" in page.text


def test_routes_that_need_a_key_say_so(document: Document) -> None:
    """So /docs has a place for it, and generated clients can send one; where the server has no keys, none is needed."""
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    operations = {(method, path): told for path, item in document["paths"].items() for method, told in item.items()}
    open_to_all = {path for (_, path), told in operations.items() if "security" not in told}
    assert open_to_all == {"/api/v1/storage/objects/{key}", "/healthz", "/readyz"}
    assert all(told["security"] == [{"key": []}, {}] for told in operations.values() if "security" in told)
