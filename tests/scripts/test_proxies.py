"""The user's proxy is never asked for what runs on this machine."""

import urllib.request

import httpx
import pytest

from deployments.errors import SettingsError
from scripts.proxies import check_proxies, is_here, without_proxy

HERE = "127.0.0.1,localhost,::1"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's own environment says."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("given", "both"),
    [
        ({}, HERE),
        ({"no_proxy": "corp.example, 10.0.0.0/8"}, f"corp.example,10.0.0.0/8,{HERE}"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, f"b.example,a.example,{HERE}"),
        ({"no_proxy": "localhost,[::1]"}, "localhost,::1,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_this_machine_is_exempt(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], both: str) -> None:
    """In both spellings, beside what the user exempts; as Python's and httpx's clients read it."""
    assert without_proxy(given) == {"no_proxy": both, "NO_PROXY": both}
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    for name, value in without_proxy(given).items():
        monkeypatch.setenv(name, value)
    assert urllib.request.proxy_bypass("127.0.0.1:8000")
    httpx.Client().close()


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000/api/v1", True),
        ("https://aige.example", False),
        ("http://127.0.0.1.example", False),
    ],
)
def test_what_is_here(url: str, here: bool) -> None:
    """By the URL's host."""
    assert is_here(url) is here


@pytest.mark.parametrize(
    "value", ["socks5://me:very-secret@proxy.example", "ftp://me:very-secret@proxy.example", "http://[::1"]
)
def test_a_proxy_of_no_use_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """An engine would find out with the first task."""
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(SettingsError) as caught:
        check_proxies()
    assert "ALL_PROXY" in str(caught.value)
    assert "very-secret" not in str(caught.value)


def test_a_plain_proxy_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or none."""
    check_proxies()
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    check_proxies()
