"""What httpx raises because of what a server says, or of how it says it: one list, for all engines that use httpx."""

import httpx

TROUBLE: tuple[type[Exception], ...] = (
    httpx.HTTPError,  # connections, time limits, the protocol, too many redirects, bodies that do not unpack
    httpx.InvalidURL,  # a redirect to something that is no URL, or to a `data:` URL
    httpx.CookieConflict,
    httpx.StreamError,
    OSError,  # ssl.SSLError: TLS that breaks after the handshake, such as 1.3's refusal of a client, passes httpcore
    ValueError,  # names that DNS or TLS cannot hold, bodies that are no JSON or no UTF-8
    RecursionError,  # JSON that is nested too deep
)
