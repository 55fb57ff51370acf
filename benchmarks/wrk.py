"""Load by `wrk`, which costs less than what it measures."""

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

LUA = Path(__file__).parent / "lua"
ROOT = Path(__file__).parents[1]


class Call(NamedTuple):
    """A request, as far as ours differ."""

    method: str
    path: str
    body: bytes = b""


class Load(NamedTuple):
    """What `wrk` measured."""

    per_s: float
    """Requests that were answered well."""
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers that were not 2xx or 3xx."""
    broken: int
    """Requests that got no answer."""


async def wrk(  # noqa: PLR0913 - a load has that many
    port: int,
    script: str,
    arguments: list[str],
    *,
    connections: int,
    seconds: float,
    path: str = "/",
    key: str | None = None,
) -> Load:
    """Runs `lua/SCRIPT.lua` for a while, on one thread; each request has the API key `key`.

    Raises:
        RuntimeError: it did not run.
    """
    options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "--latency"]
    if key is not None:
        options += ["-H", f"Authorization: Bearer {key}"]
    where = ["-s", str(LUA / f"{script}.lua"), f"http://127.0.0.1:{port}{path}", "--", *arguments]
    process = await asyncio.create_subprocess_exec(
        "wrk", *options, *where, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}: {said}")
    report = json.loads(said.rstrip().rpartition("\n")[2])
    return Load(
        per_s=(report["requests"] - report["refused"]) / report["duration_us"] * 1e6,
        p50_ms=report["p50_us"] / 1e3,
        p99_ms=report["p99_us"] / 1e3,
        refused=report["refused"],
        broken=report["broken"],
    )
