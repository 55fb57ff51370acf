"""An object store on loopback: it keeps what is PUT, records every request, and misbehaves as it is told to."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PATIENCE_S = 60
TAKEN_IN_SILENCE = 0
"""Among the `answers` of a path: the PUT is taken, and the connection closed instead of an answer."""


@dataclass(frozen=True)
class Request:
    """One request as it came; `headers` by lower-case name."""

    method: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class StoredObject:
    """What a GET is answered with."""

    body: bytes
    content_type: str = "image/png"


@dataclass
class Gate:
    """Requests wait before it until it is opened."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Returns once a request stands before the gate."""
        assert self.reached.wait(PATIENCE_S), "nobody came"

    def open(self) -> None:
        self.opened.set()


class ObjectStoreSink:
    """By path, without queries: `objects` are served, `answers` are the statuses that PUTs get in turn, then 200."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.host = f"127.0.0.1:{port}"
        self.objects: dict[str, StoredObject] = {}
        self.answers: dict[str, list[int]] = {}
        self.requests: dict[str, list[Request]] = defaultdict(list)
        self._gates: dict[tuple[str, str], Gate] = {}

    def serve(self, path: str, body: bytes, content_type: str = "image/png") -> str:
        """Puts an object at `path`, and answers its URL."""
        self.objects[path] = StoredObject(body, content_type)
        return self.url + path

    def gate(self, method: str, path: str) -> Gate:
        """Makes such requests wait."""
        return self._gates.setdefault((method, path), Gate())

    def answer(self, method: str, path: str, request: Request) -> tuple[int, StoredObject | None]:
        """Takes a request, and says what it is answered with."""
        self.requests[path].append(request)
        if gate := self._gates.get((method, path)):
            gate.reached.set()
            gate.opened.wait(PATIENCE_S)
        if method == "GET":
            found = self.objects.get(path)
            return (200, found) if found else (404, None)
        status = self.answers[path].pop(0) if self.answers.get(path) else 200
        if method == "PUT" and status in {200, TAKEN_IN_SILENCE}:
            self.objects[path] = StoredObject(request.body, request.headers.get("content-type", ""))
        return status, None


@contextmanager
def serving() -> Iterator[ObjectStoreSink]:
    """The store on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._handle("GET")

        def do_PUT(self) -> None:
            self._handle("PUT")

        def do_POST(self) -> None:  # webhooks
            self._handle("POST")

        def log_message(self, *_: object) -> None:
            pass

        def _handle(self, method: str) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            status, found = sink.answer(method, urlsplit(self.path).path, Request(method, headers, body))
            if status == TAKEN_IN_SILENCE:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{sink.url}/elsewhere")
            self.send_header("Content-Type", found.content_type if found else "text/plain")
            self.send_header("Content-Length", str(len(found.body) if found else 0))
            self.end_headers()
            self.wfile.write(found.body if found else b"")

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 200

    server = Server(("127.0.0.1", 0), Handler)
    sink = ObjectStoreSink(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
