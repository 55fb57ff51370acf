"""A start on an installed machine: the seconds to a first task that is done, and the memory of the service at rest.

A bare graph of as many processes is measured in turn: what Ray Serve itself takes.
"""

import asyncio
import time

from benchmarks.sink import Sink
from benchmarks.system import started
from benchmarks.systems import Aige, BareGraph

REST_S = 5


async def measure(profile: str, _seconds: float) -> dict[str, dict[str, float]]:
    """Figures by name, then by system."""
    figures: dict[str, dict[str, float]] = {"start_s": {}, "memory_at_rest_mb": {}}
    for system in (Aige(profile), BareGraph(profile)):
        began = time.monotonic()
        async with Sink() as sink, started(system, sink) as running:
            figures["start_s"][system.name] = time.monotonic() - began
            await asyncio.sleep(REST_S)
            figures["memory_at_rest_mb"][system.name] = running.usage().memory_bytes / 2**20
    return figures
