"""The ways to the emulator: a network in which fal's hosts are it, or another process's environment."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio.abc
import pytest
import trustme
from anyio.from_thread import start_blocking_portal

from deployments.media.egress import Egress
from tests.fal_emulator.emulator import KEY, FalEmulator
from tests.fal_emulator.http import serving
from tests.network import Connect, lead_connections, lead_sockets

HOSTS = ("queue.fal.run", "queue.falrun.com", "rest.fal.ai", "v3.fal.media", "api.fal.ai", "fal.ai")


@dataclass
class Network:
    """`refused`: how many of the next connections to the queue are refused; each is dialled under two names."""

    refused: int = 0
    dialled: list[str] = field(default_factory=list)


def certificates(names: tuple[str, ...], folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The authority's certificate file, and the context of a server with these names."""
    authority = trustme.CA()
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return path, context


def environment_for(host: str, authority: Path) -> dict[str, str]:
    """What tells another process that `host` is fal: its client's own variables, and leave to fetch results there."""
    return {
        "FAL_KEY": KEY,
        "FAL_RUN_HOST": host,
        "FAL_QUEUE_RUN_HOST": host,
        "SSL_CERT_FILE": str(authority),
        "AIGE_ALLOW_HOSTS": host,
    }


@contextmanager
def environment_of(fal: FalEmulator, folder: Path) -> Iterator[dict[str, str]]:
    """Serves `fal` from a thread of its own; gives what tells another process that it is fal."""
    authority, tls = certificates(("localhost",), folder)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(fal.handle, tls)) as port:
        host = f"localhost:{port}"
        fal.files_url = f"https://{host}/files"
        yield environment_for(host, authority)


@asynccontextmanager
async def network_of(fal: FalEmulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    """Leads connections to fal's hosts to `fal`, and no others anywhere."""
    authority, tls = certificates(HOSTS, folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    network = Network()
    async with serving(fal.handle, tls) as server_port:

        async def dial(connect: Connect, host: str, port: int) -> anyio.abc.SocketStream:
            if host == "127.0.0.1":  # another emulator's
                return await connect(host, port)
            network.dialled.append(host)
            assert (host in HOSTS, port) == (True, 443)
            if host.startswith("queue.") and network.refused:
                network.refused -= 1
                raise ConnectionRefusedError("refused")
            return await connect("127.0.0.1", server_port)

        async def lead(address: str, port: int) -> int:
            return server_port if (address, port) == _FILES else port

        lead_connections(monkeypatch, dial)
        lead_sockets(monkeypatch, lead)
        yield network


def egress_to_fal() -> Egress:
    """The door out, in a network in which fal's files lie on loopback."""
    return Egress(allow=frozenset({("v3.fal.media", 443)}), resolver=_resolve)


_FILES = ("127.0.0.1", 443)


def _resolve(*_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """Stands in for `socket.getaddrinfo`."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", _FILES)]
