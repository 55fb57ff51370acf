"""What `/openapi.json` says of errors and of API keys: which statuses a route answers, the media type of their bodies,
and which routes take a key.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder

from deployments.api.answers import Problem

PROBLEM_TYPE = "application/problem+json"
_SCHEMAS = "#/components/schemas/"
_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the API keys of this server; needed where it has any.",
}

_MEANINGS = {
    400: "Something is wrong with the request itself.",
    401: "API keys are configured, and none or a wrong one was sent.",
    403: "The URL's signature is wrong or has expired, or the caller is no operator.",
    404: "There is no such thing (any more).",
    409: "The request conflicts with an earlier one, or comes too late.",
    413: "The body is larger than this server takes.",
    429: "A limit or the budget of the caller's own is used up: try again after `Retry-After` seconds. `type` ends in "
    "`quota-exceeded` or `budget-exceeded`.",
    500: "Something broke on our side.",
    503: "Busy, or restarting: try again after `Retry-After` seconds.",
}


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route documents of the problems that it answers with: the `responses` of FastAPI's decorators."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


class DocumentedApp(FastAPI):
    """FastAPI, but its document tells of errors what we answer: problem documents, and never a 422."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)  # FastAPI's own answer to an invalid request
                    if "401" in operation["responses"]:
                        operation["security"] = [{"key": []}, {}]
            schemas = document["components"]["schemas"]
            for never_sent in ("HTTPValidationError", "ValidationError"):
                schemas.pop(never_sent, None)
            problem = jsonable_encoder(Problem.model_json_schema(ref_template=_SCHEMAS + "{model}"), exclude_none=True)
            schemas |= problem.pop("$defs") | {"Problem": problem}
            document["components"]["schemas"] = dict(sorted(schemas.items()))
            document["components"]["securitySchemes"] = {"key": _KEY}
        assert self.openapi_schema is not None  # noqa: S101 - FastAPI keeps it there
        return self.openapi_schema
