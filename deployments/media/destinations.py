"""Which URLs may be opened, as far as their text tells: the rules that need no network.

Hosts are plain ASCII here (an internationalised name in its `xn--` form): what one parser folds into an address and
another does not is thereby out.
"""

import re
from contextlib import suppress
from functools import cache, lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple, Protocol

from ssrfguard import DEFAULT_DENIED, AddressTable, Block, Policy, Reach, SSRFGuardError

from deployments.errors import SettingsError

AllowedHosts = frozenset[tuple[str, int]]
"""Hosts (lower case, IPv6 in brackets) and ports, as they stand in URLs."""

MAX_URL_LENGTH = 8192
"""In characters. Pre-signed URLs stay below 3,000; common web servers refuse request lines above 8,192."""
RESERVED = ":/?#[]@!$&'()*+,;=%"
"""What may stand in a URL beside letters, digits and `-._~` (RFC 3986)."""


class Refused(ValueError):
    """A URL that must not be opened, or an answer that must not be used; its text is a clause that says why."""


NOT_PUBLIC = "the URL leads to no public internet host; give one that does"


class NoAnswer(Exception):
    """No answer came. Its text is a clause that says why, and names no address.

    `sent`: the server may have got the request. `may_pass`: asking again may help.
    """

    def __init__(self, reason: str, *, sent: bool = True, may_pass: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent
        self.may_pass = may_pass


class Found(NamedTuple):
    """An object in the service's own store, or nothing with the status that says why."""

    status: int
    body: bytes = b""


class OwnStore(Protocol):
    """The service's own object store, which answers for its URLs without a network."""

    def owns(self, url: str) -> bool: ...

    async def get(self, url: str) -> Found: ...

    async def put(self, url: str, body: bytes) -> int:
        """The status of the answer."""
        ...


_HOST = r"\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}"
_HOST_AND_PORT = re.compile(rf"(?:{_HOST}):[0-9]{{1,5}}", re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?(?=[/?#]|\Z)", re.ASCII | re.IGNORECASE)
_UNWRITTEN = re.compile(r"[\s\x00-\x20\x7f-\x9f\\]")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_HIGHEST_PORT = 65535

_NEVER_PUBLIC = re.compile(
    r"""(?:^|\.)(?:
        localhost | localdomain
        | internal | metadata\.goog  # where clouds keep their metadata services; ICANN gave .internal to private use
        | [0-9]+ | 0x[0-9a-f]*  # "ends in a number" (WHATWG URL): resolvers read 0x7f.1 as 127.0.0.1
    )\.?$""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def _block(network: str, name: str, source: str, reach: Reach = Reach.DENIED) -> Block:
    return Block(ip_network(network), name, source, reach)


_ADDRESSES = AddressTable(
    (
        # Without its exceptions for anycast services, which serve routers and never pictures (192.0.0.9, 2001:1::1).
        *(block for block in DEFAULT_DENIED.blocks if block.reach is not Reach.PERMITTED),
        _block("168.63.129.16/32", "Azure's host agent", "Microsoft"),
        # What IANA has not given out as global unicast is not public either: ::ffff:0:7f00:1 (SIIT) for one.
        _block("::/0", "Unassigned", "RFC4291"),
        _block("2000::/3", "Global Unicast", "RFC4291", Reach.PERMITTED),
    )
)


@cache
def guard() -> Policy:
    """What `ssrfguard` enforces: on literal addresses in URLs, and on whatever a name resolves to.

    Made when it is first needed: its set of all ports takes 4 MB, in each process that opens or judges a URL.
    """
    return Policy(
        denied_networks=_ADDRESSES,
        allowed_ports=frozenset(range(1, _HIGHEST_PORT + 1)),
        max_url_length=MAX_URL_LENGTH,
    )


def parse_allow_hosts(text: str) -> AllowedHosts:
    """`AIGE_ALLOW_HOSTS`: comma-separated `host:port`, IPv6 in brackets.

    Raises:
        SettingsError: an entry is not of that form.
    """
    return frozenset(_allowed_host(entry.strip()) for entry in text.split(",") if entry.strip())


def _allowed_host(entry: str) -> tuple[str, int]:
    if _HOST_AND_PORT.fullmatch(entry):
        with suppress(Refused):
            return origin_of(f"http://{entry}")
    raise SettingsError(
        f"AIGE_ALLOW_HOSTS holds {entry!r}, which is not of the form host:port (IPv6 as [address]:port)."
    )


def check_url(url: str, allow: AllowedHosts = frozenset(), store: OwnStore | None = None) -> None:
    """Refuses `url` where it is forbidden as written; no name is resolved.

    Raises:
        Refused: a ValueError; its text is a clause without the URL's path or query.
    """
    origin = origin_of(url)
    if origin in allow or (store is not None and store.owns(url)):
        return
    try:
        target = guard().check_url(url)
    except SSRFGuardError:
        raise Refused(NOT_PUBLIC) from None
    if not target.is_literal_address and _NEVER_PUBLIC.search(target.host):
        raise Refused(NOT_PUBLIC)


@lru_cache(maxsize=256)  # each URL is judged several times on its way, and reading one costs 50 µs
def origin_of(url: str) -> tuple[str, int]:
    """Host (lower case, IPv6 in brackets) and port, as written.

    Raises:
        Refused: `url` is no plainly written `http` or `https` URL.
    """
    if len(url) > MAX_URL_LENGTH:
        raise Refused(f"the URL is longer than {MAX_URL_LENGTH:,} characters")
    if _UNWRITTEN.search(url):
        raise Refused("the URL holds white space, a control character or a backslash; percent-encode it")
    if not url.lower().startswith(("http://", "https://")):
        raise Refused("the URL does not start with http:// or https://")
    match = _ORIGIN.match(url)
    if match is None:
        raise Refused("the URL's host is not a plain ASCII name or address, without user name or password")
    port = int(match[3] or _DEFAULT_PORTS[match[1].lower()])
    if not 1 <= port <= _HIGHEST_PORT:
        raise Refused(f"the URL's port is not between 1 and {_HIGHEST_PORT}")
    host = match[2].lower()
    try:
        url.encode()  # lone surrogates cannot be sent
        if host.startswith("["):
            ip_address(host[1:-1])
    except ValueError:
        raise Refused("the URL cannot be read; check how it is written") from None
    return host, port


def host_of(url: str) -> str:
    """The host of `url`, for messages: never its path or query, which may hold a signature."""
    match = _ORIGIN.match(url)
    return match[2].lower() if match else "the given URL"
