"""Ports of this machine: which can be had."""

import socket
from collections.abc import Container
from contextlib import suppress

HIGHEST = 65535


def try_port(host: str, port: int) -> int:
    """Takes a port for a moment, any free one where `port` is 0; answers which.

    Raises:
        OSError: it cannot be had; `socket.gaierror` where the host has no address.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether it can be had."""
    with suppress(OSError):
        return try_port(host, port) == port
    return False


def free_from(host: str, first: int, but: Container[int] = ()) -> int:
    """The first free one that is not in `but`, or 0 where there is none."""
    return next((port for port in range(first, HIGHEST + 1) if port not in but and is_free(host, port)), 0)


def free_block(host: str, among: range, size: int) -> range | None:
    """The first `size` ports in a row that are all free."""
    blocks = (among[start : start + size] for start in range(0, len(among) - size + 1, size))
    return next((block for block in blocks if all(is_free(host, port) for port in block)), None)
