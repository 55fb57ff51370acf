"""What an attacked service's providers have in common, and the plainest of them: the process in `provider.py`."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import httpx

from tests.running import PATIENCE_S

ROOT = Path(__file__).parents[2]

WEBHOOK_SECRET = f"whsec_{b64encode(bytes(32)).decode()}"

Books = dict[str, dict[str, int]]
"""How many there are of what, by name: `charges` of `VERB-TASK`, `uploads` of `TASK`, `cancelled` of `VERB-TASK-N`,
`hooks` of `TASK ID`.
"""


class Provider(Protocol):
    """Who is paid, keeps the books, and has the pictures and the store; tasks go by their names.

    `settings` and `environment` make a service pay it; `stages` are the verbs that it charges for, by kind of task.
    """

    settings: Mapping[str, object]
    environment: Mapping[str, str]
    stages: Mapping[str, tuple[str, ...]]

    def person(self, name: str) -> str:
        """The URL of a task's photo, or of its person."""
        ...

    def scene(self) -> str:
        """The URL of a background."""
        ...

    def store(self, name: str) -> str:
        """The URL that takes a task's result."""
        ...

    def books(self) -> Books: ...

    def close(self) -> None: ...


class PaidProvider:
    """See `Provider`; overlays cost nothing here."""

    stages: Mapping[str, tuple[str, ...]] = {
        "avatar": ("portrait", "cut_out"),
        "background": ("background",),
        "overlay": (),
    }

    def __init__(self, latency_s: float = 2) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.provider", str(latency_s)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        host = f"127.0.0.1:{int(self._process.stdout.readline())}"
        self._url = f"http://{host}"
        self.environment: Mapping[str, str] = {"AIGE_ALLOW_HOSTS": host, "AIGE_WEBHOOK_SECRET": WEBHOOK_SECRET}
        self.settings: Mapping[str, object] = {
            "engine": "tests.chaos.engine:PaidEngine",
            "engine_options": {"url": self._url},
        }

    def person(self, _name: str) -> str:
        return f"{self._url}/pictures/person"

    def scene(self) -> str:
        return f"{self._url}/pictures/scene"

    def store(self, name: str) -> str:
        return f"{self._url}/uploads/{name}"

    def hook(self, name: str) -> str:
        """The URL of a receiver of webhooks."""
        return f"{self._url}/hooks/{name}"

    def let_go(self) -> None:
        """Lets receivers answer that are held."""
        httpx.put(f"{self._url}/let-go", timeout=PATIENCE_S, trust_env=False)

    def hold(self) -> None:
        """Holds them from now on, as in the beginning."""
        httpx.put(f"{self._url}/hold", timeout=PATIENCE_S, trust_env=False)

    def books(self) -> Books:
        books: Books = httpx.get(f"{self._url}/books", timeout=PATIENCE_S, trust_env=False).json()
        return books

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
