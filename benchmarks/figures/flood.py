"""Two callers, one of whom floods: the other's latency before and during, and that nobody is refused but the flood.

The flooding caller may have 64 tasks in flight; it sends as fast as the service answers, whatever that answers.
"""

import asyncio

from benchmarks.figures import latency
from benchmarks.sink import Sink
from benchmarks.system import Running, started
from benchmarks.systems import FLOOD_KEY, with_callers
from benchmarks.wrk import Load, wrk

CONNECTIONS = 32
WARM_UP_S = 2


async def measure(profile: str, seconds: float) -> dict[str, dict[str, float]]:
    """Figures by name, then by system."""
    system = with_callers(profile)
    async with Sink() as sink, started(system, sink) as running:
        before = await latency.measure(running, seconds)
        flooding = asyncio.create_task(_flood(running, 2 * seconds + 2 * WARM_UP_S))
        await asyncio.sleep(WARM_UP_S)
        during = await latency.measure(running, seconds)
        load = await flooding
        await running.drain()
    figures = {
        "flood_latency_p50_before_ms": before["latency_p50_ms"],
        "flood_latency_p50_during_ms": during["latency_p50_ms"],
        "flood_latency_p99_before_ms": before["latency_p99_ms"],
        "flood_latency_p99_during_ms": during["latency_p99_ms"],
        "flood_accepted_per_s": load.per_s,
        "flood_refused": load.refused,
        "flood_not_answered": load.broken,
    }
    return {figure: {system.name: value} for figure, value in figures.items()}


async def _flood(running: Running, seconds: float) -> Load:
    template = running.folder / "flood"
    template.write_bytes(running.submission(f"{running.name_upload()}-NUMBER").body)
    return await wrk(
        running.port,
        "submit",
        [str(template), "POST"],
        connections=CONNECTIONS,
        seconds=seconds,
        path=running.api.submit,
        key=FLOOD_KEY,
    )
