"""The service that `make demo` asks: the one that answers already, or one of its own for as long as it is needed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel
from rich.markup import escape

from deployments.api.answers import Problem, ServiceResponse
from scripts.proxies import is_here
from scripts.terminal import can_redraw, open_console, spinning

ROOT = Path(__file__).resolve().parent.parent

M = TypeVar("M", bound=BaseModel)

AWAY = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)
PATIENCE_S = 60
LONGEST_PAUSE_S = 5

console = open_console()


class DemoFailed(Exception):
    """Why there are no pictures: one sentence for the user."""


def client(url: str, key: str) -> httpx.Client:
    """Asks the API at `url`; on this machine never through a proxy, whatever `http_proxy` says."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60, trust_env=not is_here(url))


def answer(response: httpx.Response, model: type[M]) -> M:
    """The body of a success.

    Raises:
        DemoFailed: it is none.
    """
    if response.is_success:
        return model.model_validate_json(response.content)
    raise DemoFailed(Problem.model_validate_json(response.content).detail)


def is_away(response: httpx.Response) -> bool:
    """Whether the same request may succeed in a moment: the service is busy, restarts, or is not deployed yet.

    While it is not deployed, Ray's own proxy answers 404 in plain text; the service's 404 is a problem document.
    """
    if response.status_code == httpx.codes.NOT_FOUND:
        return str(response.headers.get("Content-Type")).startswith("text/plain")
    return response.status_code in AWAY


def until_answered(
    send: Callable[[], httpx.Response], patience_s: float = PATIENCE_S, sleep: Callable[[float], None] = time.sleep
) -> httpx.Response:
    """Sends until the service is not away, for about `patience_s`. A submission needs an Idempotency-Key."""
    waited = 0.0
    while is_away(response := send()) and waited < patience_s:
        said = response.headers.get("Retry-After", "")
        pause = min(int(said), LONGEST_PAUSE_S) if said.isdecimal() else 1
        sleep(pause)
        waited += pause
    return response


@contextmanager
def running(http: httpx.Client) -> Iterator[None]:
    """Whatever answers `http`, for as long as it is needed.

    Raises:
        DemoFailed: nothing does, and nothing can be started.
    """
    if _answers(http):
        yield
        return
    url = http.base_url
    if url.scheme != "http" or not is_here(url):
        raise DemoFailed(f"Nothing answers at {url.scheme}://{url.host}: start AIGE there, or set AIGE_URL.")
    run = started(["-m", "scripts.run", "--port", str(url.port or 80)])
    assert run.stdout  # noqa: S101 - for mypy
    try:
        _until_ready(run.stdout)
        yield
    finally:
        run.terminate()
        run.communicate()


def started(arguments: list[str]) -> subprocess.Popen[str]:
    """A Python of ours that says in plain text what it does."""
    return subprocess.Popen(  # noqa: S603 - our own arguments
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"TTY_COMPATIBLE": "0"},  # rich would else print colours into a pipe, if FORCE_COLOR is set
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _answers(http: httpx.Client) -> bool:
    """Whether the service is there.

    Raises:
        DemoFailed: it is, and does not let us in.
    """
    try:
        response = until_answered(lambda: http.get("/service", timeout=5))
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return False
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise DemoFailed("This service needs an API key: set AIGE_KEY to one of its keys.")
    engine = answer(response, ServiceResponse).engine
    console.print(f"Using the service at {http.base_url.copy_with(path='/')}, engine {engine}.")
    return True


def _until_ready(said: Iterable[str]) -> None:
    """Shows how the start gets on.

    Raises:
        DemoFailed: there was none; says why.
    """
    line = ""
    with spinning(console, "Starting the service") as status:
        for line in said:
            if line.startswith("Ready"):
                return
            status.update(f"Starting the service: {escape(line.strip())}")
            if not can_redraw(console):
                console.print(escape(line.strip()))
    raise DemoFailed(line.strip() or "The service did not start.")
