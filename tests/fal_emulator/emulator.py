"""fal.ai on loopback: its queue, its storage and its files, as the protocol describes them, with faults on demand.

It answers for all of fal's hosts: some by name, any other as the queue. Faults are scripted: `faults["submit"]` and so
on hold what happens to the next requests of a kind, one each; then all goes well again.
"""

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from tests.fal_emulator.http import DROP, Answer, Asked
from tests.fal_emulator.models import Unprocessable, paint
from tests.fal_emulator.schemas import SCHEMAS, openapi

KEY = "a-key-id:the-secret-half-of-the-key"
UPLOAD_TOKEN = "a-token-for-uploads"
FILES = "https://v3.fal.media/files"

Kind = Literal["submit", "status", "result", "cancel", "file", "upload", "list", "erase"]
Way = Callable[[], Answer]
Fault = Callable[[Way], Awaitable[Answer | None]]


def answers(status: int, body: object = b"", **headers: str) -> Fault:
    """Says this, and does nothing. Underscores in header names stand for hyphens."""

    async def fault(_: Way) -> Answer:
        return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


async def goes_well(way: Way) -> Answer | None:
    return way()


async def drops(_: Way) -> Answer | None:
    """Closes the connection, and does nothing."""
    return DROP


async def does_and_drops(way: Way) -> Answer | None:
    """Does what was asked, and closes the connection instead of saying so."""
    way()
    return DROP


async def does_and_hangs(way: Way) -> Answer | None:
    way()
    await asyncio.Event().wait()
    return DROP


async def truncates(way: Way) -> Answer | None:
    """Breaks off before the end of the answer."""
    answer = way()
    return replace(answer, missing=20)


@dataclass
class Request:
    """One that the queue has taken, and so bills for."""

    id: str
    endpoint: str
    arguments: dict[str, Any]
    headers: dict[str, str]
    submitted_at: float
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status_reads: int = 0
    result_reads: int = 0
    cancelled: bool = False


@dataclass
class FalEmulator:
    """`queue_s` and `run_s`: how long a request waits, and then runs, by `clock`. `files_url`: where results lie."""

    queue_s: float = 0
    run_s: float = 0
    clock: Callable[[], float] = time.monotonic
    files_url: str = FILES
    outcome: Answer | None = None
    """What every model answers, instead of a picture."""
    faults: dict[Kind, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    requests: dict[str, Request] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: list[Asked] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    is_admin: bool = True
    """Whether the key may delete."""
    cancel_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, kind: Kind, *faults: Fault) -> None:
        self.faults[kind].extend(faults)

    @property
    def posts(self) -> int:
        """How many submits came, taken or not."""
        return sum(asked.method == "POST" and _is_queue(asked) for asked in self.asked)

    async def handle(self, asked: Asked) -> Answer | None:
        self.asked.append(asked)
        kind, way = self._way(asked)
        faults = self.faults[kind] if kind else None
        return await faults.popleft()(way) if faults else way()

    def _way(  # noqa: PLR0911 - a route each
        self, asked: Asked
    ) -> tuple[Kind | None, Way]:
        """What kind of request it is, and how it is answered where nothing is scripted."""
        parts = asked.path.strip("/").split("/")
        match asked.host, parts:
            case _, ["emulator", "requests"]:
                return None, self._record
            case "fal.ai", _:
                return None, lambda: _schema(asked)
            case "api.fal.ai", ["v1", "models", "requests", "by-endpoint"]:
                return "list", lambda: self._list(asked)
            case "api.fal.ai", ["v1", "models", "requests", number, "payloads"]:
                return "erase", lambda: self._erase(asked, number)
            case "rest.fal.ai", _:
                return "upload", lambda: _token(asked)
            case _, ["files", "upload"]:
                return "upload", lambda: self._upload(asked)
            case _, ["files", name]:
                return "file", lambda: self._file(name)
        return self._about_the_queue(asked, parts)

    def _about_the_queue(self, asked: Asked, parts: list[str]) -> tuple[Kind | None, Way]:
        if asked.headers.get("authorization") != f"Key {KEY}":
            return None, lambda: Answer(401, {"detail": "Authentication is required."})
        if asked.method == "POST":
            return "submit", lambda: self._submit(asked)
        return self._about_a_request(asked, parts)

    def _about_a_request(self, asked: Asked, parts: list[str]) -> tuple[Kind, Way]:
        """`/OWNER/APP/requests/ID[/status|/cancel]`: never with the rest of the endpoint's path."""
        request = self.requests.get(parts[3]) if parts[2:3] == ["requests"] else None
        if request is None or not request.endpoint.startswith("/".join(parts[:2])):
            missing = Answer(404, {"detail": "Request not found"})
            return "status", lambda: missing
        if asked.method == "PUT" and parts[4:] == ["cancel"]:
            return "cancel", lambda: self._cancel(request)
        if parts[4:] == ["status"]:
            return "status", lambda: self._status(request, logs=asked.query.get("logs") == "true")
        return "result", lambda: self._result(request)

    def _submit(self, asked: Asked) -> Answer:
        endpoint = asked.path.strip("/")
        if endpoint not in SCHEMAS:
            return Answer(404, {"detail": f"Application '{endpoint}' not found"})
        request = Request(str(uuid4()), endpoint, json.loads(asked.body), asked.headers, self.clock())
        self.requests[request.id] = request
        base = f"https://{asked.host}/{'/'.join(endpoint.split('/')[:2])}/requests/{request.id}"
        urls = {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
        return Answer(200, {"status": "IN_QUEUE", "request_id": request.id, "queue_position": 0, **urls})

    def _status(self, request: Request, *, logs: bool) -> Answer:
        request.status_reads += 1
        if request.cancelled:
            return Answer(200, {"status": "COMPLETED", "logs": None, "error": "Request was cancelled"})
        age = self._age(request)
        if age < self.queue_s:
            return Answer(202, {"status": "IN_QUEUE", "queue_position": 2})
        line = {"message": "step 3 of 4, see https://internal.fal/run", "level": "INFO", "timestamp": "now"}
        if age < self.queue_s + self.run_s:
            return Answer(202, {"status": "IN_PROGRESS", "logs": [line] if logs else None})
        failed = {"error": "failed"} if self.outcome is not None and self.outcome.status >= 400 else {}
        return Answer(200, {"status": "COMPLETED", "logs": [line] if logs else None, "metrics": {}, **failed})

    def _result(self, request: Request) -> Answer:
        request.result_reads += 1
        if request.cancelled:
            return Answer(400, {"detail": "Request was cancelled", "error_type": "request_cancelled"})
        if self.outcome is not None:
            return self.outcome
        try:
            picture = paint(request.endpoint, request.arguments)
        except Unprocessable as error:
            return Answer(422, error.body)
        name = f"{request.id}.png"
        self.files[name] = picture
        place = {"url": f"{self.files_url}/{name}", "content_type": "image/png"}
        output = SCHEMAS[request.endpoint].output
        body = {output: [place] if output == "images" else place}
        return Answer(200, body, {"X-Fal-Request-Id": request.id, "X-Fal-Billable-Units": "1.5"})

    def _list(self, asked: Asked) -> Answer:
        """The requests to an endpoint that have ended, one a page; what they were about, if that is kept."""
        if asked.headers.get("authorization") != f"Key {KEY}":
            return Answer(401, {"detail": "Authentication is required."})
        start, end = (datetime.fromisoformat(asked.query[name]) for name in ("start", "end"))
        listed = [
            request
            for request in self.requests.values()
            if request.endpoint == asked.query["endpoint_id"]
            and start <= request.sent_at <= end
            and self._age(request) >= self.queue_s + self.run_s
        ]
        place = int(asked.query.get("cursor", "0"))
        items = [_listed(request) for request in listed[place : place + 1]]
        more = {"next_cursor": str(place + 1), "has_more": True} if place + 1 < len(listed) else {"has_more": False}
        return Answer(200, {"items": items, **more})

    def _erase(self, asked: Asked, number: str) -> Answer:
        """Deletes what is kept of a request, and what it made; files that were sent stay."""
        if asked.method != "DELETE":
            return Answer(405, {"detail": "Method not allowed"})
        if asked.headers.get("authorization") != f"Key {KEY}" or not self.is_admin:
            return Answer(403, {"detail": "An admin key is required."})
        if number not in self.requests:
            return Answer(404, {"detail": "Request not found"})
        self.erased.append(number)
        made = self.files.pop(f"{number}.png", None)
        results = [{"link": f"{self.files_url}/{number}.png", "exception": None}] if made is not None else []
        return Answer(200, {"cdn_delete_results": results})

    def _age(self, request: Request) -> float:
        return self.clock() - request.submitted_at

    def _cancel(self, request: Request) -> Answer:
        self.cancel_asked.set()
        if self._age(request) >= self.queue_s + self.run_s:
            return Answer(400, {"status": "ALREADY_COMPLETED"})
        request.cancelled = True
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})

    def _upload(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {UPLOAD_TOKEN}":
            return Answer(401, {"detail": "no token"})
        self.uploads.append(asked)
        name = f"uploaded-{len(self.uploads)}"
        self.files[name] = asked.body
        return Answer(200, {"access_url": f"{self.files_url}/{name}"})

    def _file(self, name: str) -> Answer:
        content = self.files.get(name)
        return Answer(200, content, {"Content-Type": "image/png"}) if content is not None else Answer(404, b"gone")

    def _record(self) -> Answer:
        """What other processes ask: what was taken, and how often each was looked at."""
        taken = [
            {
                "request_id": request.id,
                "endpoint": request.endpoint,
                "prompt": request.arguments.get("prompt"),
                "status_reads": request.status_reads,
                "cancelled": request.cancelled,
            }
            for request in self.requests.values()
        ]
        return Answer(200, {"posts": self.posts, "requests": taken})


def _listed(request: Request) -> dict[str, object]:
    kept = {} if request.headers.get("x-fal-store-io") == "0" else {"json_input": request.arguments}
    return {"request_id": request.id, "endpoint_id": request.endpoint, "sent_at": request.sent_at.isoformat(), **kept}


def _is_queue(asked: Asked) -> bool:
    return asked.host not in {"rest.fal.ai", "v3.fal.media", "api.fal.ai"} and not asked.path.startswith("/files")


def _token(asked: Asked) -> Answer:
    if asked.headers.get("authorization") != f"Key {KEY}" or asked.query.get("storage_type") != "fal-cdn-v3":
        return Answer(401, {"detail": "Authentication is required."})
    expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    token = {"token": UPLOAD_TOKEN, "token_type": "Bearer", "base_url": "https://v3.fal.media", "expires_at": expiry}
    return Answer(200, token)


def _schema(asked: Asked) -> Answer:
    endpoint = asked.query.get("endpoint_id", "")
    if asked.path != "/api/openapi/queue/openapi.json" or endpoint not in SCHEMAS:
        return Answer(404, {"detail": "not found"})
    return Answer(200, openapi(endpoint))
