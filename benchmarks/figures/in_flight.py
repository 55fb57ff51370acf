"""Tasks in flight on a slow engine: what each takes of memory and CPU, and how the rest of the service feels it.

The engine holds each task for 20 seconds, and for as long again as it takes to submit all of them, so that all are in
flight at once. What the service takes at rest is subtracted. Memory is that of the processes which were there before:
what autoscaling adds meanwhile is counted in processes. The CPU of a small crowd would drown in what the service takes
at rest: it is measured over many crowds, one after the other, held for a second each.
"""

import asyncio
import time
from statistics import quantiles
from typing import NamedTuple

from benchmarks.figures import crowd
from benchmarks.system import Running, Usage

CROWDS = (100, 1_000, 10_000)
ENGINE_S = 20
REST_S = 10
STREAMS = 0.05
"""The part of the tasks that have an event stream."""
SMALL_CROWDS = 20
READ_S = 5
"""How long statuses are read while all tasks are in flight."""


async def measure(running: Running, _seconds: float) -> dict[str, float]:
    """Figures by name."""
    figures, submit_s = dict[str, float](), 0.05
    for how_many in CROWDS:
        measured, submit_s = await _measure(running, how_many, submit_s)
        figures |= {f"in_flight_{how_many}_{figure}": value for figure, value in measured.items()}
    figures[f"in_flight_{CROWDS[0]}_cpu_ms_per_task"] = await _cpu_of_small_crowds(running)
    few, many = (figures[f"in_flight_{how_many}_cpu_ms_per_task"] for how_many in (CROWDS[0], CROWDS[-1]))
    return figures | {"in_flight_cpu_growth": many / few}


async def _measure(running: Running, how_many: int, submit_s: float) -> tuple[dict[str, float], float]:
    """The figures of one crowd, and how long one submission took; `submit_s` is how long it may take."""
    rest = await _at_rest(running)
    hold_s = ENGINE_S + 1.2 * how_many * submit_s
    began = time.monotonic()
    ids, arrivals = await crowd.submit_all(running, how_many, hold_s)
    submit_s = (time.monotonic() - began) / how_many
    heard = dict[str, list[crowd.Event]]()
    opening = asyncio.Semaphore(10)
    followed = ids[-max(2, round(how_many * STREAMS)) :]
    streams = [asyncio.create_task(crowd.follow(running, task_id, opening, heard)) for task_id in followed]
    await asyncio.sleep(2)
    full, at_once = running.usage(rest.usage.processes), sum(not arrival.done() for arrival in arrivals)
    reads = await crowd.status_times(running, ids, READ_S)
    read = running.usage()
    await asyncio.wait(arrivals, timeout=300 + hold_s)
    elapsed = time.monotonic() - began
    work_s = running.usage().cpu_s - rest.usage.cpu_s - (read.cpu_s - full.cpu_s) - rest.cpu * (elapsed - READ_S)
    await asyncio.wait_for(asyncio.gather(*streams), 60)
    delays = [event.delay_s for events in heard.values() for event in events]
    return {
        "at_once": at_once,
        "done": await crowd.count_done(running, ids),
        "memory_kb_per_task": (full.memory_bytes - rest.usage.memory_bytes) / how_many / 1024,
        "added_processes": len(full.processes - rest.usage.processes),
        "cpu_ms_per_task": work_s / how_many * 1e3,
        "status_p99_ms": quantiles(reads, n=100)[98] * 1e3,
        "event_delay_p99_ms": quantiles(delays, n=100)[98] * 1e3,
        "seconds": elapsed,
    }, submit_s


async def _cpu_of_small_crowds(running: Running) -> float:
    """Milliseconds of CPU that a task takes where a hundred are in flight."""
    rest, began = await _at_rest(running), time.monotonic()
    for _ in range(SMALL_CROWDS):
        _, arrivals = await crowd.submit_all(running, CROWDS[0], hold_s=1)
        await asyncio.wait(arrivals)
    elapsed = time.monotonic() - began
    work_s = running.usage().cpu_s - rest.usage.cpu_s - rest.cpu * elapsed
    return work_s / (SMALL_CROWDS * CROWDS[0]) * 1e3


class _Rest(NamedTuple):
    """A service at rest."""

    usage: Usage
    cpu: float
    """How many cores it keeps busy."""


async def _at_rest(running: Running) -> _Rest:
    began, before = time.monotonic(), running.usage()
    await asyncio.sleep(REST_S)
    now = running.usage()
    return _Rest(now, (now.cpu_s - before.cpu_s) / (time.monotonic() - began))
