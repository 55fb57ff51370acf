"""The service that the demo asks."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from scripts.demo_service import DemoFailed, client, running, started, until_answered


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
    with client(locked, key="") as http, pytest.raises(DemoFailed, match="AIGE_KEY"), running(http):
        pass


SAYS_READY = """
from scripts.terminal import open_console, spinning
console = open_console()
with spinning(console, "Starting"):
    console.print("[bold]Ready[/]")
"""


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_service_of_its_own_says_in_plain_text_that_it_is_ready(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """However the user's shell or CI forces colours: `make demo` waits for a line that begins with that word."""
    monkeypatch.setenv(name, "1")
    said, _ = started(["-c", SAYS_READY]).communicate()
    assert "Ready" in said.splitlines()


RAYS_404 = httpx.Response(404, text="Path '/api/v1/avatar' not found.")
OUR_404 = httpx.Response(404, json={}, headers={"Content-Type": "application/problem+json"})
BUSY = httpx.Response(503, json={}, headers={"Retry-After": "2"})


def test_a_404_that_is_none_of_ours_is_a_service_that_is_away() -> None:
    """Ray's proxy answers so while the application is not deployed; it is asked again, as after a 503."""
    coming, pauses = iter([RAYS_404, BUSY, OUR_404]), list[float]()
    assert until_answered(lambda: next(coming), sleep=pauses.append) is OUR_404
    assert pauses == [1, 2]


def test_a_service_that_stays_away_is_given_up() -> None:
    """Then its last answer is what the user reads."""
    pauses = list[float]()
    assert until_answered(lambda: BUSY, patience_s=6, sleep=pauses.append) is BUSY
    assert pauses == [2, 2, 2]
