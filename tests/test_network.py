"""No test leaves this machine, by any way."""

import asyncio
import socket

import pytest

from tests.network import Outside


@pytest.mark.parametrize("host", ["93.184.215.14", "10.0.0.1", "2606:4700:4700::1111"])
def test_no_address_outside_is_reached(host: str) -> None:
    """Neither connected to nor written to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as stream, pytest.raises(Outside, match=host):
        stream.connect((host, 80))
    with socket.socket(family, socket.SOCK_DGRAM) as datagram, pytest.raises(Outside, match=host):
        datagram.sendto(b"x", (host, 53))


def test_no_name_is_looked_up() -> None:
    """The lookup itself would leave this machine."""
    with pytest.raises(Outside, match=r"example\.com"):
        socket.getaddrinfo("example.com", 80)


async def test_asyncio_is_kept_here_too() -> None:
    """And whatever is built on it."""
    with pytest.raises(Outside):
        await asyncio.open_connection("93.184.215.14", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_reached(host: str) -> None:
    """By address and by name."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), host, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(host, port)
        assert await reader.read() == b""
        writer.close()
