"""The service that the demo asks."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.demo_service import DemoFailed, client, running


class _Locked(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' output is not its place."""


@pytest.fixture
def locked() -> Iterator[str]:
    """The URL of a service that lets nobody in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Locked) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_on_this_machine_it_is_asked_past_any_proxy(monkeypatch: pytest.MonkeyPatch, locked: str, proxy: str) -> None:
    """A proxy that is dead, or that httpx cannot use, does not matter."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    with client(locked, key="") as http, pytest.raises(DemoFailed, match="AIGE_API_KEYS"), running(http):
        pass
