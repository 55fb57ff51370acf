"""A server on loopback whose TLS breaks after the handshake, with a record that nobody can decrypt."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_RECORD = b"\x17\x03\x03\x00\x20" + b"x" * 32


@contextmanager
def broken_tls(context: ssl.SSLContext) -> Iterator[int]:
    """Gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                _break(context.wrap_socket(listener.accept()[0], server_side=True))

    threading.Thread(target=serve, daemon=True).start()
    with listener:
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _break(connection: ssl.SSLSocket) -> None:
    connection.recv(4096)
    with socket.socket(fileno=connection.detach()) as plain, suppress(OSError):
        plain.sendall(_RECORD)
        while plain.recv(4096):
            pass
