"""The HTTP server: it takes all who wait, and is what Ray Serve starts."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from deployments.api import http_server
from deployments.api.http_server import HttpServer

CLIENTS = 60
TURNS = 5


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers at once."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def accepted_within_turns(server: uvicorn.Server) -> int:
    """How many of `CLIENTS` that came while the loop was busy are accepted in its next `TURNS` turns."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup([listening])
        for _ in range(CLIENTS):  # the kernel answers them: our loop has no turn meanwhile
            opened.enter_context(socket.create_connection(listening.getsockname()))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        accepted = len(server.server_state.connections)
        server.force_exit = True  # the clients are not waited for
        await server.shutdown([listening])
        return accepted


def config() -> uvicorn.Config:
    """As Ray Serve's, as far as it matters here."""
    return uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_all_who_wait_are_accepted_at_once(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """On uvloop, uvicorn's own server accepts one in a turn."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(accepted_within_turns(HttpServer(config()))) == CLIENTS


def test_uvicorn_by_itself_accepts_one_in_a_turn() -> None:
    """Once this fails, `HttpServer` can go."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(accepted_within_turns(uvicorn.Server(config()))) <= TURNS


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Leaves uvicorn as it was found."""
    server, protocol = uvicorn.Server, uvicorn.config.HTTP_PROTOCOLS["auto"]
    yield
    uvicorn.Server, uvicorn.config.HTTP_PROTOCOLS["auto"] = server, protocol  # type: ignore[misc]


@pytest.mark.usefixtures("as_it_was")
def test_it_is_what_ray_serve_starts() -> None:
    """Server and protocol both."""
    http_server.install()
    assert uvicorn.Server is HttpServer
    loaded = config()
    loaded.load()
    assert loaded.http_protocol_class.__name__ == "HttpProtocol"


async def test_what_was_accepted_beside_uvloop_is_answered_at_once() -> None:
    """Small answers are not held back until the client has acknowledged the last one (Nagle's algorithm)."""
    server = HttpServer(config())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup([listening])
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        (protocol,) = server.server_state.connections
        connection = protocol.transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await server.shutdown([listening])
