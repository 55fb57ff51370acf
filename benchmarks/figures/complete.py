"""Completed tasks a second, with a steady number in flight: the next is submitted when an upload has come."""

import asyncio
import random
import time

from benchmarks.system import Running, connected

IN_FLIGHT = 64
WARM_UP_S = 1.0
CHECKED = 200
"""How many of the tasks are asked at the end whether they are `done`."""


async def measure(running: Running, seconds: float) -> dict[str, float]:
    """Figures by name.

    Raises:
        AssertionError: a task did not end well.
    """
    ids = list[str]()
    start = time.monotonic() + WARM_UP_S
    stop = start + seconds
    cpu, client_cpu = running.usage().cpu_s, time.process_time()
    lanes = await asyncio.gather(*(_lane(running, ids, stop) for _ in range(IN_FLIGHT)))
    elapsed = time.monotonic() - start + WARM_UP_S
    cpu, client_cpu = running.usage().cpu_s - cpu, time.process_time() - client_cpu
    arrivals = [arrival for lane in lanes for arrival in lane]
    async with connected(running) as connection:
        for task_id in random.sample(ids, min(CHECKED, len(ids))):
            await running.until_done(connection, task_id, every_s=0.02)
    return {
        "completed_per_s": sum(start <= arrival < stop for arrival in arrivals) / seconds,
        "cpu_ms_per_task": cpu / len(ids) * 1e3,
        "client_cpu_share": client_cpu / elapsed,
    }


async def _lane(running: Running, ids: list[str], stop: float) -> list[float]:
    """One task after another; answers when their uploads came."""
    arrivals = []
    async with connected(running) as connection:
        while time.monotonic() < stop:
            upload = running.name_upload()
            arrival = running.sink.arrival(upload)
            ids.append(await running.submit(connection, upload))
            arrivals.append(await asyncio.wait_for(arrival, 60))
    return arrivals
