"""What a signed URL says of itself: until when it works, from when on, which headers it wants, and of which object."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

SENT_HEADERS = frozenset({"host", "content-type"})
"""What an upload's headers are known to be: its length is not, before the picture is made."""

_SIGNED_HEADERS = re.compile(r"x-[a-z]+-signedheaders|x-oss-additional-headers|q-header-list")
_SIGNING = re.compile(r"x-(amz|goog|oss|tos|cos|obs)-.+|q-.+|x-id|response-.+")
_SIGNING_WITH = {
    "sig": re.compile(r"sig|s[veptri]|ss|srt|spr|sip|ses|sdd|sk(oid|tid|[tesv])|s[au]oid|scid|rsc[cdelt]"),
    "signature": re.compile(
        r"signature|expires|policy|key-pair-id|(awsaccesskey|googleaccess|ossaccesskey)id|security-token"
    ),
}
"""What belongs to a signature only where there is one of this name: `policy` or `si` may else be anything."""

_UNSHOWN = re.compile(r"[^a-z0-9, _-]")
_LONGEST_LIST = 200


def expires_at(url: str) -> datetime | None:
    """The moment (UTC) from which `url` no longer works, or None where it does not say so, or not legibly.

    Names are compared without regard to case: Azure's are documented so, and the others are not ambiguous.
    """
    query = _query_of(url)
    moments = (_moment(rule, query) for names, rule in _RULES if query.keys() >= names)
    return next(moments, None)


def is_expired(url: str, now: datetime) -> bool:
    """Whether `url` says that it no longer works at `now` (an aware datetime)."""
    expiry = expires_at(url)
    return expiry is not None and expiry <= now


def unmet_demand(url: str, now: datetime) -> str | None:
    """What `url` says that it demands of a PUT and ours does not meet, as a clause; None if there is nothing.

    `now` is an aware datetime. Such a PUT is refused by the store, after its picture has been paid for.
    """
    query = _query_of(url)
    if missing := sorted(_signed_headers(query) - SENT_HEADERS):
        names = _UNSHOWN.sub("?", ", ".join(missing))[:_LONGEST_LIST]
        return f"is signed for headers that uploads from here do not have ({names}); sign host and content-type only"
    start = _moment(_azure_start, query) if {"st", "sig"} <= query.keys() else None
    if start is not None and start > now:
        return f"works only from {start:%Y-%m-%dT%H:%M:%SZ} on (st); send one that works now"
    return None


def is_azures(url: str) -> bool:
    """Whether `url` is signed as Azure's are, at whichever host: a domain of one's own, or Azurite."""
    return _query_of(url).keys() >= {"sv", "sr", "sig"}


def unsigned_query(query: str) -> str:
    """The parameters that tell objects at one path apart (`?id=1`), sorted: those that no signature brings along.

    Of a scheme that is not known here, all parameters are kept.
    """
    named = [(part.partition("=")[0].lower(), part) for part in query.split("&") if part]
    present = {name for name, _ in named}
    signing = [_SIGNING, *(names for signature, names in _SIGNING_WITH.items() if signature in present)]
    return "&".join(sorted(part for name, part in named if not any(names.fullmatch(name) for names in signing)))


def _signed_headers(query: Mapping[str, str]) -> frozenset[str]:
    """In lower case. AWS, Google and Volcengine list them under like names, Alibaba and Tencent under their own."""
    lists = (value for name, value in query.items() if _SIGNED_HEADERS.fullmatch(name))
    return frozenset(header.strip().lower() for value in lists for header in value.split(";") if header.strip())


def _query_of(url: str) -> dict[str, str]:
    """The parameters by lower-case name; none where `url` cannot be read."""
    try:
        return {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return {}


def _moment(rule: Callable[[Mapping[str, str]], datetime], query: Mapping[str, str]) -> datetime | None:
    try:
        return rule(query)
    except (ValueError, OverflowError, OSError):
        return None


def _utc(text: str) -> datetime:
    """An ISO 8601 moment, basic or extended, with or without seconds and zone (without one, it is UTC)."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _aws_v4(query: Mapping[str, str]) -> datetime:
    return _utc(query["x-amz-date"]) + timedelta(seconds=int(query["x-amz-expires"]))


def _google_v4(query: Mapping[str, str]) -> datetime:
    return _utc(query["x-goog-date"]) + timedelta(seconds=int(query["x-goog-expires"]))


def _azure(query: Mapping[str, str]) -> datetime:
    return _utc(query["se"])


def _azure_start(query: Mapping[str, str]) -> datetime:
    return _utc(query["st"])


def _epoch(query: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(query["expires"]), UTC)


_RULES: tuple[tuple[frozenset[str], Callable[[Mapping[str, str]], datetime]], ...] = (
    (frozenset({"x-amz-date", "x-amz-expires"}), _aws_v4),
    (frozenset({"x-goog-date", "x-goog-expires"}), _google_v4),
    (frozenset({"se", "sig"}), _azure),
    # S3 V2, GCS V2 and CloudFront (`Expires`, `Signature`), and our own store (`expires`, `signature`).
    (frozenset({"expires", "signature"}), _epoch),
)
"""The parameters that give a scheme away, and how it says when it ends."""
