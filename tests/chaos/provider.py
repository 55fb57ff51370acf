"""A paid provider, in a process of its own: its queue counts every submit as a charge, and takes its time.

    python -m tests.chaos.provider LATENCY_S [HOST PORT]    on loopback by default, where any port is free

POST /submit            {"key"}: charges, and answers {"id"}; a key with "hang" in it is never done
GET  /requests/{id}     {"done": bool}
PUT  /requests/{id}/cancel
GET  /pictures/{kind}   the result, a small PNG
PUT  /uploads/{name}    an object store for the results
POST /hooks/{name}      a receiver of webhooks; one with "held" in its name answers only once it is let go
PUT  /let-go, /hold
GET  /books             {"charges": {key: count}, "uploads": [name], "cancelled": [id], "hooks": {"NAME ID": count}}
"""

import io
import json
import math
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image


class Books:
    """What the provider has done, for everybody to see."""

    def __init__(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.charges: Counter[str] = Counter()
        self.ready_at: dict[str, float] = {}
        self.uploads: list[str] = []
        self.cancelled: list[str] = []
        self.hooks: Counter[str] = Counter()
        self.let_go = threading.Event()


def picture(kind: str) -> bytes:
    """A person on nothing, or a scene."""
    image = Image.new("RGBA", (64, 64), (200, 80, 60, 255))
    if kind == "person":
        image.paste((0, 0, 0, 0), (0, 0, 16, 64))
    out = io.BytesIO()
    (image if kind == "person" else image.convert("RGB")).save(out, "PNG")
    return out.getvalue()


class Handler(BaseHTTPRequestHandler):
    """One request; `books` is set by `main`."""

    books: Books
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        if kind == "pictures":
            self.answer(picture(name), "image/png")
        elif kind == "requests":
            self.answer({"done": time.monotonic() >= self.books.ready_at[name]})
        else:
            books = self.books
            kept = {"charges": books.charges, "uploads": books.uploads, "cancelled": books.cancelled}
            self.answer({**kept, "hooks": books.hooks})

    def do_POST(self) -> None:
        body = self.body()
        if self.path.startswith("/hooks/"):
            self.take_webhook(self.path.removeprefix("/hooks/"))
            return
        key = json.loads(body)["key"]
        self.books.charges[key] += 1
        number = f"{key}-{self.books.charges[key]}"
        latency_s = math.inf if "hang" in key else self.books.latency_s
        self.books.ready_at[number] = time.monotonic() + latency_s
        self.answer({"id": number})

    def take_webhook(self, name: str) -> None:
        self.books.hooks[f"{name} {self.headers['webhook-id']}"] += 1
        if "held" in name:
            self.books.let_go.wait()
        self.answer({})

    def do_PUT(self) -> None:
        body = self.body()
        if self.path in {"/let-go", "/hold"}:
            (self.books.let_go.set if self.path == "/let-go" else self.books.let_go.clear)()
            self.answer({})
            return
        kind, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        if kind == "uploads" and body.startswith(b"\x89PNG"):
            self.books.uploads.append(name)
        else:
            self.books.cancelled.append(name.removesuffix("/cancel"))
        self.answer({})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, content: object, media_type: str = "application/json") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Whose clients are killed in the middle of a request, which is no error here."""

    request_queue_size = 128  # the five that are usual lose connections of a crowd

    def handle_error(self, *_: object) -> None:
        pass


def main(latency_s: float, host: str = "127.0.0.1", port: str = "0") -> None:
    Handler.books = Books(latency_s)
    with Server((host, int(port)), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])
