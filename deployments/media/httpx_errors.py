"""What httpx raises because of what a server says, or of how it says it: one list, for all who use httpx. And when a
server wants to be asked again.
"""

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

LONGEST_RETRY_AFTER = 30.0
"""In seconds: what a server asks for beyond it, in `Retry-After`, is not waited for."""


def pause_asked_for(retry_after: str) -> bool | float:
    """The seconds in a `Retry-After` (RFC 9110, 10.2.3), if it is seconds and not too many; else True: the usual pause.

    It is what stamina wants to be told. Dates are not read.
    """
    seconds = float(retry_after) if retry_after.isdecimal() else None
    return seconds if seconds is not None and seconds <= LONGEST_RETRY_AFTER else True
