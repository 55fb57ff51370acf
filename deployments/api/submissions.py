"""Which requests start a task: for middleware, which must know it before a route does."""

import re

from starlette.types import Scope


class Submissions:
    """The three requests below `base` that start a task."""

    def __init__(self, base: str) -> None:
        path = f"{re.escape(base)}/avatar"
        self._lines = re.compile(f"POST {path}|PUT {path}/[^/]+/(background|overlay)")

    def operation_of(self, scope: Scope) -> str | None:
        """The operation that a request asks for; None where it starts no task."""
        if scope["type"] != "http":
            return None
        found = self._lines.fullmatch(f"{scope['method']} {scope['path']}")
        return (found[1] or "avatar") if found else None
