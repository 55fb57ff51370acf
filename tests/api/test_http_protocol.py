"""What clients get through the protocol of our servers, byte by byte."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from deployments.api.http_protocol import HttpProtocol

HEADERS = b"Host: x\r\n"
UPGRADES = {
    "none": b"",
    "Java": b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\n",
    "lower case": b"connection: upgrade\r\nupgrade:h2c\r\n",
}
BODIES = {
    "by length": b"Content-Length: 5\r\n\r\nhello",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what came; `/stream` in two pieces; `/refuse` without reading the body."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one\n"
        yield b"two\n"

    request = Request(scope, receive)
    answer: Response = StreamingResponse(pieces())
    if scope["path"] == "/refuse":
        answer = PlainTextResponse("no", 413)
    elif scope["path"] != "/stream":
        answer = PlainTextResponse(f"{scope['method']} {(await request.body()).decode()}")
    await answer(scope, receive, send)


class Wire(asyncio.Transport):
    """A connection to a server of `app`: what is sent, what comes back, whether it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.received = b""
        self.is_open = True
        config = uvicorn.Config(app, log_config=None, lifespan="off")
        self.protocol: asyncio.BaseProtocol = HttpProtocol(config, ServerState(), {})
        self.protocol.connection_made(self)

    async def send(self, data: bytes, size: int | None = None, then: bytes = b"") -> bytes:
        """Sends `data`, in pieces of `size` bytes, and `then` at once; what has come back once all is answered."""
        size = size or len(data)
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        for piece in filter(None, (*pieces, then)):
            assert isinstance(self.protocol, asyncio.Protocol)
            self.protocol.data_received(piece)
        for _ in range(20):
            await asyncio.sleep(0)  # lets all that is under way go as far as it can
        received, self.received = self.received, b""
        return received

    @property
    def waits(self) -> bool:
        """Whether it will be closed unless a request comes."""
        assert isinstance(self.protocol, HttpProtocol)
        return self.protocol.timeout_keep_alive_task is not None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.received += bytes(data)

    def close(self) -> None:
        self.is_open = False

    def is_closing(self) -> bool:
        return not self.is_open

    def pause_reading(self) -> None:
        """Nothing is sent before the last is read."""

    def resume_reading(self) -> None:
        """As above."""


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_the_body_behind_an_offer_to_upgrade_arrives(upgrade: str, body: str, size: int | None) -> None:
    """However it is cut on the way, and again and again on one connection, between other requests."""
    wire = Wire()
    request = b"PUT / HTTP/1.1\r\n" + HEADERS + UPGRADES[upgrade] + BODIES[body]
    for data, said in ((b"GET / HTTP/1.1\r\n" + HEADERS + b"\r\n", b"GET "), (request, b"PUT hello")) * 2:
        answer = await wire.send(data, size)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\n\r\n" + said)
    assert wire.is_open


@pytest.mark.parametrize("size", [None, 1])
async def test_a_stream_to_http_1_0_has_no_chunks_and_ends_with_the_connection(size: int | None) -> None:
    """HTTP/1.0 knows no chunks."""
    wire = Wire()
    head, _, body = (await wire.send(b"GET /stream HTTP/1.0\r\n\r\n", size)).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"one\ntwo\n"
    assert not wire.is_open


async def test_a_stream_to_http_1_1_has_chunks() -> None:
    """And leaves the connection open."""
    wire = Wire()
    answer = await wire.send(b"GET /stream HTTP/1.1\r\n" + HEADERS + b"\r\n")
    assert answer.endswith(b"\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n")
    assert wire.is_open


async def test_a_body_that_nobody_reads_is_not_taken_for_a_head() -> None:
    """It goes on after its request has been answered, and may look like anything."""
    wire = Wire()
    body = b"GET / HTTP/1.0\r\nUpgrade: h2c\r\n\r\n"
    head = b"PUT /refuse HTTP/1.1\r\n" + HEADERS + b"Content-Length: %d\r\n\r\n" % len(body)
    assert (await wire.send(head)).startswith(b"HTTP/1.1 413 ")
    assert await wire.send(body, 5) == b""
    assert (await wire.send(b"\r\nGET / HTTP/1.1\r\n" + HEADERS + b"\r\n")).endswith(b"GET ")


async def test_requests_that_do_not_wait_are_answered_in_turn() -> None:
    """Pipelining, with the head of the second one cut."""
    wire = Wire()
    one, two = (b"GET /%s HTTP/1.1\r\n" % path + HEADERS + b"\r\n" for path in (b"stream", b""))
    first = await wire.send(one + two[:9])
    second = await wire.send(two[9:])
    assert first.endswith(b"0\r\n\r\n")
    assert second.endswith(b"GET ")


async def test_h11_takes_no_connection_over_in_the_middle_of_an_answer() -> None:
    """The answers would mix."""
    wire = Wire()
    one, two = (b"GET /%s HTTP/1.1\r\n" % path + HEADERS for path in (b"stream", b""))
    answers = await wire.send(one + b"\r\n", then=two + UPGRADES["Java"] + b"\r\n")
    first, second = answers.removeprefix(b"HTTP/1.1 200 ").split(b"HTTP/1.1 200 ")
    assert first.endswith(b"\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n")
    assert second.endswith(b"GET ")


TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\nHost: x\n\n", b"a" * 70_000, TLS_HELLO])
async def test_what_is_no_request_does_not_wait_for_ever(data: bytes) -> None:
    """With line ends that are none, or with none at all, it has no end that we could wait for; nor has TLS."""
    wire = Wire()
    answer = await wire.send(data, 10_000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not wire.is_open


async def test_a_connection_that_is_kept_is_not_closed_while_a_head_comes() -> None:
    """Its time-out is about silence. An end of line that no request follows is silence."""
    wire = Wire()
    head = b"GET / HTTP/1.1\r\n" + HEADERS
    await wire.send(head + b"\r\n")
    await wire.send(b"\r\n")
    assert wire.waits
    await wire.send(head)
    assert not wire.waits
    assert (await wire.send(b"\r\n")).endswith(b"GET ")
