"""A signed URL says when it ends, in its provider's own way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.media.signed_urls import expires_at, is_expired, unmet_demand, unsigned_query

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())

SIGNED = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260102T110000Z&X-Amz-Expires=3600&X-Amz-Signature=ab",
    "x-amz-date=20260102T110000Z&x-amz-expires=3600",
    f"AWSAccessKeyId=AK&Signature=a%2Bb%3D&Expires={EPOCH}",
    "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260102T110000Z&X-Goog-Expires=3600&X-Goog-Signature=ab",
    "sv=2022-11-02&sr=b&sig=a%2Fb&se=2026-01-02T12%3A00%3A00Z",
    "sig=ab&se=2026-01-02T12:00Z",
    "sig=ab&se=2026-01-02T12:00:00.0000000Z",
    "sig=ab&se=2026-01-02T14:00:00%2B02:00",
    "SIG=ab&SE=2026-01-02T12:00:00Z",
    f"expires={EPOCH}&signature=ab",
]


@pytest.mark.parametrize("query", SIGNED)
def test_the_end_is_read_from_the_url(query: str) -> None:
    """Every scheme that the contract names is understood."""
    assert expires_at(f"https://store.example/key?{query}") == NOON


def test_a_date_alone_is_its_midnight_in_utc() -> None:
    """Azure allows `se` to be a mere date."""
    assert expires_at("https://a.blob.core.windows.net/c/k?sig=ab&se=2026-01-02") == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://store.example/key",
        "https://store.example/key?expires=1",  # nothing shows that this is about a signature
        "https://store.example/key?se=2026-01-02",
        "https://store.example/key?X-Amz-Date=20260102T110000Z",
        "https://store.example/key?X-Amz-Date=yesterday&X-Amz-Expires=3600",
        "https://store.example/key?X-Amz-Date=20260102T110000Z&X-Amz-Expires=an+hour",
        "https://store.example/key?X-Amz-Date=20260102T110000Z&X-Amz-Expires=" + "9" * 30,
        "https://store.example/key?X-Goog-Date=99991231T235959Z&X-Goog-Expires=604800",
        "https://store.example/key?Signature=ab&Expires=" + "9" * 30,
        "https://store.example/key?Signature=ab&Expires=" + "9" * 5000,
        "https://store.example/key?Signature=ab&Expires=-99999999999999",
        "https://store.example/key?sig=ab&se=2026-13-45",
        "https://store.example/key?sig=ab&se=0001-01-01T00:00:00%2B23:00",
        "https://[store.example/key?sig=ab&se=2026-01-02",
        "",
    ],
)
def test_what_is_not_legible_is_no_end(url: str) -> None:
    """A URL that says nothing of its end, or nothing legible, has none, and raises nothing."""
    assert expires_at(url) is None
    assert not is_expired(url, NOON)


@given(st.sampled_from(["expires", "X-Amz-Date", "X-Amz-Expires", "se", "st", "X-Amz-SignedHeaders"]), st.text())
def test_no_value_raises(name: str, value: str) -> None:
    """Whatever a caller writes, reading it raises nothing."""
    base = "X-Amz-Date=20260102T110000Z&X-Amz-Expires=1&sig=a&signature=a"
    expires_at(f"https://store.example/key?{base}&{name}={value}")
    unmet_demand(f"https://store.example/key?{base}&{name}={value}", NOON)


def test_a_url_works_until_its_end_and_not_from_it_on() -> None:
    """The end itself is already too late."""
    url = f"https://store.example/key?expires={EPOCH}&signature=ab"
    assert not is_expired(url, NOON - timedelta(seconds=1))
    assert is_expired(url, NOON)


LISTS = [
    ("X-Amz-SignedHeaders=host%3Bx-amz-acl", "x-amz-acl"),
    ("X-Amz-SignedHeaders=content-type;host;x-amz-meta-a;x-amz-server-side-encryption", "x-amz-meta-a, x-amz-server"),
    ("X-Amz-SignedHeaders=content-length;host", "content-length"),
    ("x-amz-signedheaders=Host;Content-MD5", "content-md5"),
    ("X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-resumable", "x-goog-resumable"),
    ("X-Tos-SignedHeaders=host;x-tos-acl", "x-tos-acl"),
    ("x-oss-additional-headers=host;range", "range"),
    ("q-header-list=content-length;host", "content-length"),
    ("X-Amz-SignedHeaders=host;%3Cb%3E%0A", "?b?"),
]


@pytest.mark.parametrize(("query", "named"), LISTS)
def test_headers_that_are_not_sent_are_named(query: str, named: str) -> None:
    """Each store's list of signed headers; an upload has `Host` and `Content-Type`."""
    demand = unmet_demand(f"https://store.example/key?{query}&X-Amz-Signature=ab", NOON)
    assert demand is not None
    assert f"({named}" in demand


@pytest.mark.parametrize(
    "query",
    [
        "",
        "X-Amz-SignedHeaders=host",
        "X-Amz-SignedHeaders=content-type%3Bhost",
        "X-Amz-SignedHeaders=Host;Content-Type",
        "X-Amz-SignedHeaders=",
        "X-Amz-SignedHeaders=;host;",
        "X-Goog-SignedHeaders=host",
        "q-header-list=",
        "headers=x-other",
        "sig=ab&st=2026-01-02T12:00:00Z&se=2026-01-03",
        "sig=ab&st=2026-01-01&se=2026-01-03",
        "sig=ab&st=tomorrow",
        "st=2999-01-01",  # nothing shows that this is about a signature
    ],
)
def test_a_url_that_wants_nothing_else(query: str) -> None:
    """Or that says nothing legible."""
    assert unmet_demand(f"https://store.example/key?{query}", NOON) is None


@pytest.mark.parametrize("start", ["2026-01-02T12:00:01Z", "2026-01-02T14:00:01%2B02:00", "2026-01-03"])
def test_a_url_that_does_not_work_yet(start: str) -> None:
    """Azure's `st`."""
    demand = unmet_demand(
        f"https://a.blob.core.windows.net/c/k?sv=2022-11-02&sr=b&sig=ab&st={start}&se=2026-02-01", NOON
    )
    assert demand is not None
    assert demand.startswith("works only from 2026-01-0")


@pytest.mark.parametrize(
    "query",
    [
        *SIGNED,
        "",
        "signature=ab",
        "Policy=a_&Signature=b&Key-Pair-Id=K",
        "GoogleAccessId=a%40b&Expires=1&Signature=c",
        "X-Amz-Signature=ab&X-Amz-Security-Token=c&x-id=GetObject&response-content-type=image%2Fpng",
        "sv=2022-11-02&sr=b&sp=r&sip=1.2.3.4&skoid=a&sktid=b&skt=c&ske=d&sks=b&skv=e&rscd=inline&sig=ab",
        "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=ab",
        "OSSAccessKeyId=A&Expires=1&Signature=b&security-token=c",
        "q-sign-algorithm=sha1&q-ak=A&q-sign-time=1%3B2&q-header-list=host&q-signature=ab&x-cos-security-token=c",
        "X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Signature=ab",
    ],
)
def test_what_a_signature_brings_along_names_no_object(query: str) -> None:
    """Of every scheme; what else is there does, in whatever order."""
    assert unsigned_query(query) == ""
    for mixed in (f"id=1&{query}&B=%2f", f"B=%2f&{query}&id=1"):
        assert unsigned_query(mixed) == "B=%2f&id=1"


@pytest.mark.parametrize("query", ["id=1", "1", "a=&b", "policy=5&si=6&sp=7", "expires=1", "token=x", "uc=1&uc=2"])
def test_what_no_signature_brings_along_stays(query: str) -> None:
    """Without a signature, its parameters' names may mean anything."""
    assert unsigned_query(query) == query
