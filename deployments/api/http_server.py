"""The HTTP server of our processes: uvicorn's, which takes all clients that wait at once."""

import asyncio
import socket

import uvicorn
import uvicorn.config

from deployments.api import http_protocol


class HttpServer(uvicorn.Server):
    """Accepts every connection that waits, in each turn of the event loop.

    uvloop accepts one in each turn (https://github.com/libuv/libuv/pull/3696). A turn of a busy server takes a tenth of
    a second, so of 512 new clients the last ones would wait for half a minute.
    """

    _listening: tuple[socket.socket, ...] = ()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens as uvicorn does, and beside it, on copies of the same `sockets`."""
        await super().startup(sockets)
        self._connecting = set[asyncio.Task[object]]()
        self._listening = tuple(one.dup() for one in sockets or ())  # uvloop has the originals
        for one in self._listening:
            one.setblocking(False)
            asyncio.get_running_loop().add_reader(one, self._accept_all, one)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, and ends as uvicorn does."""
        for one in self._listening:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        await super().shutdown(sockets)

    def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # nobody waits any more, or something is amiss that uvloop handles
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connecting = loop.create_task(loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl))
            self._connecting.add(connecting)
            connecting.add_done_callback(self._connecting.discard)

    def _protocol(self) -> asyncio.Protocol:
        make = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]


def install() -> None:
    """Makes this the HTTP server of this process, and `HttpProtocol` its protocol: Ray Serve lets nobody choose them.

    Serve calls what `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH` names before it starts a server.
    """
    uvicorn.Server = HttpServer  # type: ignore[misc]  # Serve looks it up there
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{http_protocol.__name__}:{http_protocol.HttpProtocol.__name__}"
