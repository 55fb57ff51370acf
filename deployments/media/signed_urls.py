"""When a signed URL stops working, as the URL itself says."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit


def expires_at(url: str) -> datetime | None:
    """The moment (UTC) from which `url` no longer works, or None where it does not say so, or not legibly.

    Names are compared without regard to case: Azure's are documented so, and the others are not ambiguous.
    """
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return None
    moments = (_moment(rule, query) for names, rule in _RULES if query.keys() >= names)
    return next(moments, None)


def is_expired(url: str, now: datetime) -> bool:
    """Whether `url` says that it no longer works at `now` (an aware datetime)."""
    expiry = expires_at(url)
    return expiry is not None and expiry <= now


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
