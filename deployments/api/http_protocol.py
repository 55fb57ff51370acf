"""The protocol of our HTTP servers: uvicorn's fast one (httptools), and for what that gets wrong, its plain one (h11).

httptools drops the body of a request that offers an upgrade, as Java's HttpClient and `curl --http2` do
(https://github.com/Kludex/uvicorn/issues/2722), and answers HTTP/1.0 in chunks, which that does not know.
"""

import re

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_NO_METHOD = re.compile(rb"[^A-Za-z]")
_ANY_END_OF_HEAD = re.compile(rb"\n\r?\n")
_MAX_HEAD_BYTES = 2**16


class HttpProtocol(HttpToolsProtocol):
    """Looks at the head of each request; from the first one that httptools would get wrong, h11 has the connection.

    Not at one that is sent before the last one has been answered (pipelining): no client that needs h11 does so.
    """

    _head = b""
    _in_request = False

    def data_received(self, data: bytes) -> None:
        if self._in_request or (self.cycle and not self.cycle.response_complete):
            super().data_received(data)
            return
        head = (self._head + data).lstrip(b"\r\n")
        if _is_whole(head):
            self._head = b""
            if _is_for_h11(head):
                self._hand_over(head)
            else:
                super().data_received(head)
        elif head:
            self._unset_keepalive_if_required()
            self._head = head

    def on_message_begin(self) -> None:
        self._in_request = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._in_request = False
        super().on_message_complete()

    def _hand_over(self, data: bytes) -> None:
        """To h11, which has seen nothing of this connection; `data` begins a request."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        successor = H11Protocol(self.config, self.server_state, self.app_state)
        self.transport.set_protocol(successor)
        successor.connection_made(self.transport)
        successor.data_received(data)


def _is_whole(head: bytes) -> bool:
    """Whether the head has ended. What is too long, has line ends that are none, or begins like no method (TLS, say)
    is a parser's matter.
    """
    return (
        b"\r\n\r\n" in head
        or len(head) > _MAX_HEAD_BYTES
        or _NO_METHOD.match(head) is not None
        or _ANY_END_OF_HEAD.search(head) is not None
    )


def _is_for_h11(data: bytes) -> bool:
    """`data` is a head, and what may follow it."""
    head = data[: data.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)]
    return head.partition(b"\r\n")[0].endswith(b" HTTP/1.0") or b"\nupgrade:" in head.lower()
