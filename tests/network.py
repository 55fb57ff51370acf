"""The network of the tests: this machine, and nothing else. What a test calls the internet leads here too."""

import asyncio
import socket
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import anyio
import pytest

Connect = Callable[[str, int], Awaitable[anyio.abc.SocketStream]]
"""Opens a connection to a host and a port."""
Dial = Callable[[Connect, str, int], Awaitable[anyio.abc.SocketStream]]
"""Stands in for it: given the real one, the host and the port."""
Lead = Callable[[str, int], Awaitable[int]]
"""Given the address and the port that are dialled, the port of this machine that is connected to instead."""


class Outside(AssertionError):
    """A test has tried to leave this machine."""


def keep_to_this_machine() -> None:
    """From here on, whatever this process tries to reach elsewhere, or to look up, raises `Outside`.

    An audit hook (PEP 578) sees each attempt, whoever makes it, and stays for as long as the process lives.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    match event, arguments:
        case "socket.connect" | "socket.sendto" | "socket.sendmsg", (_, (str(host), *_)):
            pass
        case "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr", (str(host), *_):
            pass
        case _:
            return  # something else, or a socket in a folder
    if not _is_here(host):
        raise Outside(f"a test has tried to reach {host}")


def _is_here(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def lead_connections(monkeypatch: pytest.MonkeyPatch, dial: Dial) -> None:
    """Lets `dial` open the connections of httpx. It is patched here alone: fal-client makes its own transport."""
    real = anyio.connect_tcp

    async def connect(host: str, port: int) -> anyio.abc.SocketStream:
        return await real(host, port)

    async def connect_tcp(remote_host: object, remote_port: int, **_: object) -> anyio.abc.SocketStream:
        return await dial(connect, str(remote_host), remote_port)

    monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)


def lead_sockets(monkeypatch: pytest.MonkeyPatch, lead: Lead) -> None:
    """Lets `lead` say where the event loop connects its sockets to: aiohttp's, and those of httpx."""
    real = BaseSelectorEventLoop.sock_connect

    async def sock_connect(loop: BaseSelectorEventLoop, sock: socket.socket, address: tuple[str, int]) -> None:
        await real(loop, sock, ("127.0.0.1", await lead(*address[:2])))

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", sock_connect)


def let_pass(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Sets the running event loop's clock forward: time limits of clients that take no clock end, if there are any."""
    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + seconds)
