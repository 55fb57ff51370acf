"""What a provider says, fit to be shown to a caller."""

import re

_LONGEST = 300
_URL = re.compile(r"://|data:|\.internal\b|\b\d{1,3}(?:\.\d{1,3}){3}\b", re.IGNORECASE)


def shown(text: str, hosts: re.Pattern[str]) -> str:
    """One line, not too long, without URLs, which may be signed, and without the provider's `hosts`."""
    kept = [word for word in text.split() if not _URL.search(word) and not hosts.search(word)]
    return " ".join(kept)[:_LONGEST].rstrip(" .:")
