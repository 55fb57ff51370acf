"""Submissions: how many a second are accepted, and how long the answer takes. The work goes on at the same time."""

from benchmarks.system import Running
from benchmarks.wrk import wrk

CONNECTIONS = 32


async def measure(running: Running, seconds: float) -> dict[str, float]:
    """Figures by name."""
    before = running.sink.taken
    template = running.folder / "body"
    template.write_bytes(running.submission(f"{running.name_upload()}-NUMBER").body)
    arguments = [str(template), "POST"]
    load = await wrk(
        running.port,
        "submit",
        arguments,
        connections=CONNECTIONS,
        seconds=seconds,
        path=running.api.submit,
        key=running.api.key,
    )
    completed = running.sink.taken - before
    await running.drain()
    return {
        "accepted_per_s": load.per_s,
        "accept_p50_ms": load.p50_ms,
        "accept_p99_ms": load.p99_ms,
        "accept_refused": load.refused + load.broken,
        "accept_completed_meanwhile_per_s": completed / seconds,
    }
