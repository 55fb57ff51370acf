# ruff: noqa: RUF001 (look-alike characters and addresses are what this file is about)
"""What may be opened, judged by the text of the URL alone: hostile spellings are listed here, one by one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.errors import SettingsError
from deployments.media.destinations import Refused, check_url, parse_allow_hosts

FORBIDDEN_HOSTS = [
    # loopback, as resolvers and browsers also read it
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0x0.0x0.0x1",
    "127.0.0.0x1",
    "127.0x1",
    "0x",
    "00000127.0.0.1",
    "127.000.000.001",
    "1.2.3.4.5",
    "256.256.256.256",
    "0",
    "0.0.0.0",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "١٢٧.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25eth0]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:5db8:d70e::80ff:fffe]",  # Teredo: the client, inverted, is 127.0.0.1
    "[2001:0:7f00:1::a247:28f1]",  # Teredo: the server is 127.0.0.1
    "[v1.x]",
    "[127.0.0.1]",
    # loopback by name
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "localhost.localdomain",
    "ｌｏｃａｌｈｏｓｔ",
    "loc\u00adalhost",
    "ſ.localhost",
    "ſtore.example",
    # private, shared, reserved, documentation, multicast, broadcast
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001:2::1]",
    "[2001:1::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[4000::1]",
    # what clouds keep for their machines
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "168.63.129.16",
    "[::ffff:168.63.129.16]",
    "100.100.100.200",
    "metadata.google.internal",
    "metadata.google.internal.",
    "METADATA.goog",
    "instance-data.ec2.internal",
    # no plain host at all
    "",
    ".",
    "..",
    "a..b",
    "user@host.example",
    "user:secret@host.example",
    "@host.example",
    "127.0.0.1@host.example",
    "host.example:80@127.0.0.1",
    "host.example:",
    "host.example:0",
    "host.example:65536",
    "host.example:99999",
    "host.example:080000",
    "host.example:-1",
    "host.example:8 0",
    "host.example:８０",
    "host.example:http",
    "host.example\\@127.0.0.1",
    "host.example\t",
    "host.example%00.evil",
    "bücher.example",
    "a" * 254,
    "[::1",
    "::1",
    "a,b",
    "a;b",
    "*",
]

FORBIDDEN_URLS = [
    "",
    "host.example",
    "//host.example/",
    "http:",
    "http:/host.example/",
    "http:host.example",
    "http:///host.example",
    "http://?x",
    "http://#x",
    "https:\\\\host.example\\",
    "http://host.example/a b",
    "http://host.example/\n",
    "http://host.example/\r\nHost: internal",
    "http://host.example/\x00",
    "http://host.example/\x7f",
    "http://host.example/\x85",
    "http://host.example/\u2028",
    "http://host.example/\ud800",
    "http://host.example/\\",
    " http://host.example/",
    "http://host.example/ ",
    "\x01http://host.example/",
    "ht\ntp://host.example/",
    "file:///etc/passwd",
    "ftp://host.example/",
    "gopher://host.example/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "ws://host.example/",
    "httpſ://host.example/",
    "http+unix://host.example/",
    "http://host.example/" + "a" * 8192,
]

WELCOME_URLS = [
    "http://host.example",
    "HTTPS://HOST.example:443/a%20b?X-Amz-Signature=%2F#part",
    "https://host.example.:8443/ä?ü=ß",
    "https://xn--bcher-kva.example/",
    "https://bucket.s3.amazonaws.com/key@home?next=http://127.0.0.1/",
    "https://93.184.215.14/",
    "http://8.8.8.8:9000/",
    "https://[2606:4700:4700::1111]/",
    "https://[::ffff:8.8.8.8]/",
    "https://localhost.example/",
    "https://internal.example/",
    "https://127.0.0.1.nip.io/",  # a name: what it resolves to is judged when it is opened
    "https://0x7f.example/",
]


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_a_forbidden_host_is_refused_in_every_spelling(host: str) -> None:
    """Nothing that any resolver could read as a forbidden address passes, with or without a path or port."""
    for url in (f"http://{host}", f"https://{host}/x.png?sig=secret#f"):
        with pytest.raises(Refused) as refusal:
            check_url(url)
        assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_a_url_that_is_not_plain_http_is_refused(url: str) -> None:
    """Other schemes, control characters, white space, backslashes and endless URLs stay outside."""
    with pytest.raises(ValueError, match="the URL"):
        check_url(url)


@pytest.mark.parametrize("url", WELCOME_URLS)
def test_a_public_url_passes(url: str) -> None:
    """Public names, addresses and ports are nobody's enemy, whatever their query holds."""
    check_url(url)


@given(st.sampled_from(["", "http://", "https://host.example/", "http://[", "http://0x"]), st.text())
def test_any_text_passes_or_is_refused(beginning: str, rest: str) -> None:
    """Whatever a caller writes, nothing but `Refused` is raised."""
    with suppress(Refused):
        check_url(beginning + rest)


def test_an_endless_url_is_refused_for_its_length() -> None:
    """Even where its host is allowed: whoever reads it next has a limit too."""
    url = "http://127.0.0.1:9000/" + "a" * 8192
    with pytest.raises(Refused, match="longer than 8,192 characters"):
        check_url(url, parse_allow_hosts("127.0.0.1:9000"))


def test_an_allowed_host_passes_as_written() -> None:
    """An allowed pair passes although it is private; case and a default port left out make no difference."""
    allow = parse_allow_hosts("127.0.0.1:9000, [::1]:9000,localhost:80")
    for url in ("http://127.0.0.1:9000/x", "https://[::1]:9000", "http://LOCALHOST/x", "http://localhost:80"):
        check_url(url, allow)


@pytest.mark.parametrize(
    "origin",
    [
        "127.0.0.1",
        "127.0.0.1:9001",
        "127.0.0.2:9000",
        "127.1:9000",
        "2130706433:9000",
        "0x7f000001:9000",
        "127.0.0.1.:9000",
        "127。0。0。1:9000",
        "localhost:9000",
        "[::1]:9000",
        "[::ffff:127.0.0.1]:9000",
        "user@127.0.0.1:9000",
        "127.0.0.1:9000@127.0.0.1:22",
        "a.127.0.0.1:9000",
    ],
)
def test_allowing_a_host_opens_nothing_else(origin: str) -> None:
    """Neither other ports of an allowed host nor other spellings of its address."""
    with pytest.raises(Refused):
        check_url(f"http://{origin}/", parse_allow_hosts("127.0.0.1:9000"))


def test_pairs_are_read() -> None:
    """Names, IPv4 and bracketed IPv6, in any case, with white space around."""
    assert parse_allow_hosts(" MinIO:9000 ,10.0.0.1:80,[::1]:9000") == {
        ("minio", 9000),
        ("10.0.0.1", 80),
        ("[::1]", 9000),
    }


@pytest.mark.parametrize("text", ["", " ", ","])
def test_nothing_allows_nothing(text: str) -> None:
    """An empty setting is an empty list."""
    assert parse_allow_hosts(text) == frozenset()


@pytest.mark.parametrize(
    "entry",
    [
        "localhost",
        "localhost:",
        ":9000",
        "localhost:0",
        "localhost:65536",
        "localhost:http",
        "localhost:８０",
        "::1:9000",
        "[::1]",
        "[::1:9000",
        "[:::]:9000",
        "[fe80::1%eth0]:9000",
        "http://localhost:9000",
        "localhost:9000/path",
        "user@localhost:9000",
        "*:9000",
        "a b:9000",
        "localhost:9000;other:1",
        "bücher:80",
    ],
)
def test_a_malformed_entry_stops_the_start(entry: str) -> None:
    """The message holds the entry, and the form it should have."""
    with pytest.raises(SettingsError) as error:
        parse_allow_hosts(f"127.0.0.1:9000,{entry}")
    assert repr(entry) in str(error.value)
    assert "host:port" in str(error.value)
