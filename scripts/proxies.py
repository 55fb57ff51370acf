"""The HTTP proxy of the user's environment: for what is elsewhere, never for what runs on this machine."""

import os
from collections.abc import Mapping

import httpx

from deployments.errors import SettingsError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


def is_here(url: str | httpx.URL) -> bool:
    """Whether a URL leads to this machine."""
    return httpx.URL(url).host in _LOOPBACK


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """`no_proxy` in both its spellings, with this machine in it: else gRPC between Serve's processes went elsewhere."""
    listed = [entry for name in ("no_proxy", "NO_PROXY") for entry in environment.get(name, "").split(",")]
    hosts = [entry.strip().strip("[]") for entry in listed]  # httpx refuses brackets
    joined = "*" if "*" in hosts else ",".join(dict.fromkeys(filter(None, [*hosts, *_LOOPBACK])))
    return {"no_proxy": joined, "NO_PROXY": joined}


def check_proxies() -> None:
    """Refuses a proxy that engines cannot ask their providers through.

    Raises:
        SettingsError: names the variables, and not their values, which may hold a password.
    """
    try:
        httpx.Client().close()
    except ImportError:
        reason = "a SOCKS proxy needs a package that is not installed: `.venv/bin/pip install socksio`, or unset it"
    except (ValueError, httpx.InvalidURL):
        reason = "no URL of a proxy such as http://proxy.example:3128"
    else:
        return
    names = [name for name in os.environ if name.lower() in _VARIABLES]
    raise SettingsError(f"{', '.join(names)}: {reason}")
